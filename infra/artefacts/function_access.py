"""What single functions may read and reach, as settings say it (`functions.access`), by name; nothing by default."""

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

_Secret = Annotated[
    str, Field(pattern=r"^(?:arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@-]{1,512}$")
]
_Parameter = Annotated[str, Field(pattern=r"^/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*$")]
_Key = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$")]
_Table = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$")]
_Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
_Rights = Literal["read", "write"]


class ReachShape(pydantic.BaseModel):
    """A target of the proxies as a profile of the adapters: where it is and the budget are filled in.

    `connections`: what the target grants to this function. `profile`: every other key, as docs/adapters.md has them.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    target: _Name
    connections: Annotated[int, Field(ge=1)] | None = None
    profile: dict[str, Any] = {}

    @pydantic.field_validator("profile")
    @classmethod
    def _leaves_out_what_is_filled_in(cls, given: dict[str, Any]) -> dict[str, Any]:
        for key in ("endpoints", "budget"):
            if key in given:
                message = f"{key} is filled in: the spoke's endpoint, the reserved concurrency and `connections`"
                raise ValueError(message)
        password = given.get("credentials", {})
        if isinstance(password, dict) and password.get("password"):
            message = "a password would stand in the template: use credentials.secret or credentials.iam_user"
            raise ValueError(message)
        if "@" in str(given.get("proxy", "")):
            message = "a proxy's password would stand in the template"
            raise ValueError(message)
        return given


class AccessShape(pydantic.BaseModel):
    """What one function may do beside its own logs, queue and traces.

    `secrets` by name or ARN, `parameters` by path, `keys` by ARN (those of secrets, tables and buckets that are not
    AWS's own); `tables` and `buckets` of this account, each `read` or `write`, which includes reading.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    secrets: tuple[_Secret, ...] = ()
    parameters: tuple[_Parameter, ...] = ()
    keys: tuple[_Key, ...] = ()
    tables: dict[_Table, _Rights] = {}
    buckets: dict[_Bucket, _Rights] = {}
    databases: dict[_Name, ReachShape] = {}
    services: dict[_Name, ReachShape] = {}
