"""Which AWS credentials Envoy signs its calls with, and the environment that makes Envoy use them.

Envoy itself finds keys in its environment, in a profile of the shared credentials file, by web identity, and from a
container's or an instance's metadata service. For the rest of boto3's chain (SSO, assume-role, credential_process) a
small process evaluates the chain and lends Envoy the result on loopback, in the way of a container's metadata service.
"""

import enum
import hashlib
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

from strangler_fig.diagnostics import Diagnostic, Refused

PATH = "/credentials"
_CONTROL_TOKEN = "FIG_TOKEN"  # noqa: S105 - a name

# What would let Envoy find credentials elsewhere, before it asks on loopback.
_HIDDEN = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    }
)
# What the chain's result depends on; a change of it ends the server that was started with the old values.
_INPUTS = ("AWS_", "HOME", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "PATH")


class Choice(enum.Enum):
    """What a user says about credentials."""

    AUTO = "auto"
    ENVIRONMENT = "environment"
    CHAIN = "chain"


class Source(enum.Enum):
    """Where Envoy gets its credentials from."""

    KEYS = "keys in the environment"
    ENVOY = "Envoy's own search"
    CHAIN = "boto3's chain"


def source(choice: Choice, environment: Mapping[str, str]) -> Source:
    """Decide for one source. Raises `Refused` when the chain is wanted and boto3 is not there.

    `auto` takes keys that stand in the environment, then boto3's chain where boto3 is installed, then what Envoy finds.
    """
    keys = bool(environment.get("AWS_ACCESS_KEY_ID") and environment.get("AWS_SECRET_ACCESS_KEY"))
    installed = importlib.util.find_spec("botocore") is not None
    match choice:
        case Choice.CHAIN if not installed:
            hint = "pip install 'strangler-fig[aws]', or --aws-credentials environment"
            raise Refused([Diagnostic(code="ND105", message="boto3's chain needs the package boto3", hint=hint)])
        case Choice.CHAIN:
            return Source.CHAIN
        case Choice.AUTO if installed and not keys:
            return Source.CHAIN
        case _:
            return Source.KEYS if keys else Source.ENVOY


def envoy_environment(source: Source, lent: tuple[int, Path] | None) -> dict[str, str]:
    """What Envoy's environment has beyond the agent's; `lent` is the server's port and the file with its token.

    An empty value is to Envoy as none at all.
    """
    kept_out = {_CONTROL_TOKEN: ""}  # Envoy never talks to control
    if source is not Source.CHAIN or lent is None:
        return kept_out
    port, token_file = lent
    return {
        **kept_out,
        **dict.fromkeys(_HIDDEN, ""),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{port}{PATH}",
        # A file, because Envoy reads it for each question: the token may change while Envoy runs (measured, 1.40.0).
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token_file),
    }


def fingerprint(environment: Mapping[str, str]) -> str:
    """A digest of all that the chain's result depends on in an environment."""
    relevant = sorted(item for item in environment.items() if item[0].startswith(_INPUTS))
    return hashlib.sha256(repr(relevant).encode()).hexdigest()
