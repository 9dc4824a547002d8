"""Lambda function ARNs.

Source: AWS Lambda Developer Guide, "Lambda resources and permissions" (function ARNs, qualifiers), 2025.
"""

import re

from ..estate import FunctionArn
from .fault import Fault

ARN = "ES104"

_ACCOUNT_DIGITS = 12
_PARTS = 7
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}")
_FUNCTION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_QUALIFIER = re.compile(r"\$LATEST|[A-Za-z0-9_-]{1,128}")
_EXAMPLE = "as in arn:aws:lambda:eu-west-1:123456789012:function:books:live"


def parse_arn(text: str) -> FunctionArn:
    """The function that an ARN names, with its qualifier where it has one. Raises `Fault` naming the wrong part."""
    parts = text.split(":")
    if len(parts) not in (_PARTS, _PARTS + 1) or parts[0] != "arn":
        raise Fault(ARN, f"{text!r} is not the ARN of a Lambda function", _EXAMPLE)
    _arn, partition, service, region, account, kind, function, *qualifier = parts
    problem = (
        _unless(re.fullmatch(r"aws(?:-[a-z]+)*", partition), f"{partition!r} is not a partition, such as aws")
        or _unless(service == "lambda", f"{service!r} is not the service lambda")
        or _unless(_REGION.fullmatch(region), f"{region!r} is not a region, such as eu-west-1")
        or _unless(_is_account(account), f"{account!r} is not an account number of {_ACCOUNT_DIGITS} digits")
        or _unless(kind == "function", f"{kind!r} is not the resource type function")
        or _unless(_FUNCTION.fullmatch(function), f"{function!r} is not a function's name")
        or _unless(not qualifier or _QUALIFIER.fullmatch(qualifier[0]), f"{qualifier!r} is not an alias or a version")
    )
    if problem:
        raise Fault(ARN, f"{text!r} is not the ARN of a Lambda function: {problem}", _EXAMPLE)
    return FunctionArn(
        text=text, region=region, account=account, function=function, qualifier=qualifier[0] if qualifier else None
    )


def parse_region(text: str) -> str:
    """An AWS region's name. Raises `Fault`."""
    if not _REGION.fullmatch(text):
        raise Fault(ARN, f"{text!r} is not a region", "as in eu-west-1")
    return text


def api_host(region: str, arn_text: str) -> str:
    """The public host of the region's Lambda API.

    Source: AWS General Reference, "AWS Lambda endpoints and quotas" (aws-cn has a domain of its own), 2025.
    """
    domain = "amazonaws.com.cn" if arn_text.startswith("arn:aws-cn:") else "amazonaws.com"
    return f"lambda.{region}.{domain}"


def _is_account(text: str) -> bool:
    return len(text) == _ACCOUNT_DIGITS and text.isascii() and text.isdigit()


def _unless(holds: object, problem: str) -> str:
    return "" if holds else problem
