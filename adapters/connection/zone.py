"""In which availability zone this environment runs: endpoints of the own zone come first."""

import functools
import os

VARIABLE = "ADAPTERS_ZONE"
"""Overrides what Lambda says; the zone's id, as `euw1-az1`."""


@functools.cache
def own_zone() -> str:
    """The id of the zone, or "" where nobody says it; asked for once in each environment."""
    if zone := os.environ.get(VARIABLE):
        return zone
    if "AWS_LAMBDA_METADATA_API" not in os.environ:
        return ""
    from aws_lambda_powertools.utilities.metadata import (  # noqa: PLC0415 - where there is somebody to ask
        LambdaMetadataError,
        get_lambda_metadata,
    )

    try:
        return str(get_lambda_metadata().availability_zone_id or "")
    except LambdaMetadataError:  # without it the endpoints are tried as they stand
        return ""
