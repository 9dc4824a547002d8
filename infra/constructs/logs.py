"""Log groups that end and are encrypted, and the key they share."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from .resource import keep, policy, resource

_ALARMS = {
    "Sid": "Alarms",
    "Effect": "Allow",
    "Principal": {"Service": ["cloudwatch.amazonaws.com", "sns.amazonaws.com"]},
    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
}
"""For the key of a topic that alarms publish to; every other key is none of their business."""


def encryption_key(scope: Construct, purpose: str, *, has_alarms: bool = False) -> Any:
    """The ARN of a key of the stack's own, rotated each year, which logs of this account may use; alarms where asked.

    Costs about 1 USD a month and 0.03 USD for 10,000 uses. Source: AWS KMS pricing, 2025.
    """
    account = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    made = resource(
        scope,
        "Key",
        "AWS::KMS::Key",
        {
            "Description": purpose,
            "EnableKeyRotation": True,
            "KeyPolicy": policy(
                {"Sid": "Owner", "Effect": "Allow", "Principal": {"AWS": account}, "Action": "kms:*", "Resource": "*"},
                {
                    "Sid": "Logs",
                    "Effect": "Allow",
                    "Principal": {"Service": {"Fn::Sub": "logs.${AWS::Region}.${AWS::URLSuffix}"}},
                    "Action": [
                        "kms:Encrypt*",
                        "kms:Decrypt*",
                        "kms:ReEncrypt*",
                        "kms:GenerateDataKey*",
                        "kms:Describe*",
                    ],
                    "Resource": "*",
                    "Condition": {
                        "ArnLike": {
                            "kms:EncryptionContext:aws:logs:arn": {
                                "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"
                            }
                        }
                    },
                },
                *([_ALARMS] if has_alarms else []),
            ),
        },
    )
    return keep(made).get_att("Arn")


def log_group(scope: Construct, name: str, path: str, *, key: Any, days: int) -> cdk.CfnResource:
    """A log group whose records are encrypted and go after `days`."""
    properties = {"LogGroupName": path, "RetentionInDays": days, "KmsKeyId": key}
    return resource(scope, name, "AWS::Logs::LogGroup", properties)
