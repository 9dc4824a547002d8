"""What is asked of AWS: the text of a secret or a parameter, and a signed token. None of it is ever logged.

Clients are made once in a process, and before anything is waited for: making one is work, seconds of it where a
function has little memory and so little of a processor. At DEBUG botocore logs every answer with its body, and how it
signs: a root logger at that level would tell passwords.
"""

import functools
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .profiles.values import Endpoint


class StoreFailed(Exception):  # noqa: N818 - what happened, as the tree of errors names things
    """AWS refused, or could not be reached."""


def secret_text(store: Any, name: str) -> str | bytes:
    """The current value of a secret, out of `secrets()`. Raises `StoreFailed`."""
    value = _value(store, name)
    return value if isinstance(value, (str, bytes)) else b""


def parameter_text(store: Any, name: str) -> str:
    """The decrypted value of a parameter, out of `parameters()`. Raises `StoreFailed`."""
    return str(_value(store, name, decrypt=True))


def signed_token(client: Any, endpoint: Endpoint, user: str) -> str:
    """A token for one user and endpoint, by which RDS logs in; `client` is `signer(...)`. Raises `StoreFailed`."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - it is there with the client

    try:
        with unlogged():
            return str(client.generate_db_auth_token(DBHostname=endpoint.host, Port=endpoint.port, DBUsername=user))
    except (BotoCoreError, ClientError) as error:
        raise StoreFailed(error) from error


@functools.cache
def secrets() -> Any:
    """The process's client of Secrets Manager, as Powertools wraps it. Raises `StoreFailed`."""
    from aws_lambda_powertools.utilities.parameters import SecretsProvider  # noqa: PLC0415 - it imports boto3

    return _made(lambda config: SecretsProvider(boto_config=config))


@functools.cache
def parameters() -> Any:
    """The process's client of SSM's parameters, as Powertools wraps it. Raises `StoreFailed`."""
    from aws_lambda_powertools.utilities.parameters import SSMProvider  # noqa: PLC0415 - it imports boto3

    return _made(lambda config: SSMProvider(boto_config=config))


@functools.cache
def signer(region: str) -> Any:
    """The process's client that signs tokens for a Region. Raises `StoreFailed`."""
    import boto3  # noqa: PLC0415 - 0.14 s

    return _made(lambda config: boto3.client("rds", region_name=region, config=config))


def forget() -> None:
    """Make the clients anew at the next use."""
    for made in (secrets, parameters, signer):
        made.cache_clear()


def _made(make: Any) -> Any:
    from botocore.config import Config  # noqa: PLC0415 - it imports boto3's half
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    try:
        return make(Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2}))
    except BotoCoreError as error:
        raise StoreFailed(error) from error


def _value(store: Any, name: str, **options: Any) -> Any:
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError  # noqa: PLC0415 - as above

    try:
        with unlogged():
            return store.get(name, force_fetch=True, **options)
    except GetParameterError as error:
        raise StoreFailed(error) from error
    finally:
        store.client.close()  # a connection that is kept would be a black hole after the environment was frozen


@contextmanager
def unlogged() -> Iterator[None]:
    """Have botocore log nothing of this thread's calls until the block ends."""
    here = threading.get_ident()

    def is_of_others(_record: logging.LogRecord) -> bool:
        return threading.get_ident() != here

    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "botocore"]
    for name in names:
        logging.getLogger(name).addFilter(is_of_others)
    try:
        yield
    finally:
        for name in names:
            logging.getLogger(name).removeFilter(is_of_others)
