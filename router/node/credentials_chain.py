"""One walk along boto3's chain of credential providers, in a process of its own; the result goes to a pipe as JSON.

A process of its own, because the walk may run a program, wait for a network, or hang: it is ended after a while, and
the memory that botocore takes (about 35 MB) is given back. Every walk reads the configuration files again.
"""

import json
import re
import sys
from typing import Any

_SHOWN_LETTERS = 300
# Access keys, and whatever is long and has no spaces, as secrets, tokens and signed addresses have none.
_SECRET = re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{8,}\b|[A-Za-z0-9+/=_%.-]{36,}|(?<==)[A-Za-z0-9+/_-]{20,}")


def tidy(text: str) -> str:
    """An error's text in one line, shortened, without whatever may be a secret."""
    return _SECRET.sub("[redacted]", " ".join(text.split()))[:_SHOWN_LETTERS]


def walk() -> dict[str, Any]:
    """What the chain gives: `keys`, or an `error` for a person."""
    import botocore.session  # noqa: PLC0415 - heavy; only this process pays for it
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    try:
        found = botocore.session.Session().get_credentials()
        if found is None:
            return {"error": "no provider of boto3's chain has credentials (aws configure list shows what it finds)"}
        frozen = found.get_frozen_credentials()
    except (BotoCoreError, ClientError, OSError, ValueError, RuntimeError, KeyError) as error:
        return {"error": tidy(f"{type(error).__name__}: {error}")}
    expires = getattr(found, "_expiry_time", None)  # botocore shows the expiry nowhere else
    return {
        "access_key": frozen.access_key,
        "secret_key": frozen.secret_key,
        "token": frozen.token or "",
        "expires": expires.timestamp() if expires is not None else None,
        "method": str(found.method),
    }


def main() -> None:
    """Walk once and print the result."""
    json.dump(walk(), sys.stdout)


if __name__ == "__main__":
    main()
