"""A source of AWS credentials on this machine: a profile whose credential_process gives what the test says."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

NEVER_LISTED = ("AWS_", "FIG_")


class Keys:
    """A home folder with AWS configuration; `give` and `refuse` decide what the program in it answers from now on."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._answer = folder / "answer.json"
        program = folder / "program"
        program.write_text(f"#!/bin/sh\nexec cat {self._answer}\n")
        program.chmod(0o755)
        (folder / "config").write_text(
            f"[profile bank]\ncredential_process = {program}\n"
            "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/router\nsource_profile = static\n"
            "region = eu-west-1\n"
            "[profile static]\naws_access_key_id = AKIASTATIC\naws_secret_access_key = static-secret\n"
        )

    def give(self, access_key: str, *, seconds: float) -> None:
        """The program gives this key, which ends after so many seconds."""
        ends = datetime.fromtimestamp(time.time() + seconds, UTC).isoformat(timespec="seconds")
        content = {
            "Version": 1,
            "AccessKeyId": access_key,
            "SecretAccessKey": f"secret-of-{access_key}",
            "SessionToken": f"token-of-{access_key}",
            "Expiration": ends,
        }
        fresh = self._answer.with_suffix(".new")
        fresh.write_text(json.dumps(content))
        fresh.rename(self._answer)

    def refuse(self) -> None:
        """The program fails."""
        self._answer.unlink(missing_ok=True)

    def environment(self, profile: str | None = "bank") -> dict[str, str]:
        """The test's own environment with this configuration, and nothing else of AWS."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NEVER_LISTED)}
        return {
            **kept,
            "HOME": str(self.folder),
            "AWS_CONFIG_FILE": str(self.folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            **({"AWS_PROFILE": profile} if profile else {}),
        }
