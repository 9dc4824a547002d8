"""Regions: which partition they are in, and which of the services that the topology needs they lack.

What botocore's own table says is believed; of a region that it does not know, the partition is told by its name.
"""

import functools
from typing import Any

import botocore.session

_BY_PREFIX = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-iso-", "aws-iso"), ("us-isob-", "aws-iso-b"))


@functools.cache
def _session() -> Any:
    return botocore.session.Session()


def partition_of(region: str) -> str:
    """The partition of a region: `aws`, `aws-cn`, `aws-us-gov`, and so on."""
    return next((partition for prefix, partition in _BY_PREFIX if region.startswith(prefix)), "aws")


def is_known(region: str) -> bool:
    """Whether botocore's table has the region."""
    return region in _session().get_available_regions("ec2", partition_name=partition_of(region))


def missing_services(region: str, services: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the services that botocore's table does not list in the region.

    A service without any row in the partition is not told missing: its endpoints are made by rules that have no list.
    """
    partition = partition_of(region)
    lacking = []
    for service in services:
        listed = _session().get_available_regions(service, partition_name=partition)
        elsewhere = partition != "aws" and _session().get_available_regions(service, partition_name="aws")
        if (listed and region not in listed) or (not listed and elsewhere):
            lacking.append(service)
    return tuple(lacking)
