"""The engine: SQLAlchemy as everybody knows it, with one connection that is reached, verified and bounded our way."""

import logging
from typing import Any

import sqlalchemy
from sqlalchemy.pool import QueuePool

from .. import telemetry
from ..credentials import Provider, provider_for
from ..profiles.load import url_profile
from ..profiles.values import DatabaseProfile
from . import liveness, statements
from .login import open_connection

_POOL_SECONDS = 1.0


def create_engine(profile: DatabaseProfile | str, **options: object) -> sqlalchemy.Engine:
    """An engine for a profile or a `mysql+onprem://` URL; `options` go to `sqlalchemy.create_engine`.

    One environment handles one request at a time, so the pool has one connection. Raises `ProfileInvalid` with every
    fault of a URL.
    """
    if isinstance(profile, str):
        profile = url_profile(profile)
    _state_budget(profile)
    provider = provider_for(profile.credentials, profile.name)
    settings: dict[str, object] = {
        "poolclass": QueuePool,
        "pool_size": 1,
        "max_overflow": 0,
        "pool_use_lifo": True,
        "pool_timeout": _POOL_SECONDS,
        "pool_reset_on_return": "rollback",
        **options,
    }
    engine = sqlalchemy.create_engine("mysql+pymysql://", creator=lambda: _opened(profile, provider), **settings)
    liveness.watch(engine.pool, profile)
    statements.bound(engine, profile)
    telemetry.watch(engine, profile)
    return engine


def _opened(profile: DatabaseProfile, provider: Provider) -> Any:
    with telemetry.connecting(profile):
        return open_connection(profile, provider)


def _state_budget(profile: DatabaseProfile) -> None:
    budget = profile.budget
    if budget.environments is None and budget.connections is None:
        return
    logging.getLogger(__name__).info(
        "%s: one connection for each environment, at most %s, of %s that the database grants",
        profile.name,
        budget.environments if budget.environments is not None else "unlimited",
        budget.connections if budget.connections is not None else "an unknown number",
    )
