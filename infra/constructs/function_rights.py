"""Statements of a function's role: what settings name, thing by thing, and no action on anything else."""

from collections.abc import Iterator
from typing import Any

from ..artefacts.function_access import AccessShape
from .resource import arn, statement

_READ_ITEMS = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:DescribeTable"]
_WRITE_ITEMS = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"]
_WRITE_ITEMS += ["dynamodb:ConditionCheckItem"]


def rights(access: AccessShape) -> Iterator[dict[str, Any]]:
    """A statement for each kind of thing that a function may read or write; none where nothing is named."""
    if access.secrets:
        yield statement(["secretsmanager:GetSecretValue"], [_secret(one) for one in access.secrets])
    if access.parameters:
        named = [arn("ssm", f"parameter{one}") for one in access.parameters]
        yield statement(["ssm:GetParameter", "ssm:GetParameters"], named)
    if access.keys:
        yield statement(["kms:Decrypt", "kms:GenerateDataKey"], list(access.keys))
    for name, right in access.tables.items():
        table = [arn("dynamodb", f"table/{name}"), arn("dynamodb", f"table/{name}/index/*")]
        yield statement(_READ_ITEMS + (_WRITE_ITEMS if right == "write" else []), table)
    for name, right in access.buckets.items():
        bucket = f"arn:${{AWS::Partition}}:s3:::{name}"
        yield statement(["s3:ListBucket"], {"Fn::Sub": bucket})
        objects = ["s3:GetObject", *(["s3:PutObject"] if right == "write" else [])]
        yield statement(objects, {"Fn::Sub": f"{bucket}/*"})


def _secret(one: str) -> Any:
    """The ARN of a secret; of a name, AWS adds six letters that nobody can know beforehand."""
    return one if one.startswith("arn:") else arn("secretsmanager", f"secret:{one}-??????")
