"""OnPremFunction: a VPC function that reaches on-premises, capped by the planner's verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from constructs import Construct

from ..artefacts.function_access import AccessShape
from .alarms import alarm_properties, of_function
from .function_rights import rights
from .logs import log_group
from .resource import arn, export, keep, parameter, policy, resource, statement, trust

_NOTHING = AccessShape()


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionWork:
    """What a function is: its name at AWS and its alias, its runtime, memory, time limit, and its reserved concurrency.

    `reserved` None: nothing on its way asks for a cap. `layers`: ARNs; empty takes Powertools by its public parameter,
    in the version `powertools`.
    `planned_as`: its name in estate and plan, where that is another. `access`: what else it may read or write.
    """

    name: str
    alias: str
    timeout_seconds: int
    reserved: int | None
    runtime: str = "python3.13"
    architecture: str = "arm64"
    memory_mb: int = 512
    layers: tuple[str, ...] = ()
    powertools: str = "latest"
    handler: str = "app.handler"
    planned_as: str = ""
    retention_days: int = 90
    access: AccessShape = _NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionPlace:
    """Where a function is: the subnets and the security-group set of its trust zone, and the key of its logs and queue.

    `environment`: what adapters read, as the host of the endpoint to on-premises. `set_name`: which set it is, as
    `shop/2`.
    """

    subnet_ids: Any
    security_group_ids: Sequence[Any]
    key: Any
    path: str
    alarm_topic: Any = None
    environment: tuple[tuple[str, Any], ...] = ()
    set_name: str = ""


class OnPremFunction(Construct):
    """A function in its trust zone's subnets, with an alias, a dead-letter queue, its logs, and alarms at 70 and 90 %.

    Costs its invocations alone. What binds is what the verdict names, and its reserved concurrency is that: it is taken
    from the account's 1,000, of which 100 must stay unreserved. Its ENIs are its zone's, so a further one costs none.
    """

    def __init__(self, scope: Construct, name: str, work: FunctionWork, place: FunctionPlace) -> None:
        super().__init__(scope, name)
        self.work = work
        logs = keep(log_group(self, "Logs", f"/aws/lambda/{work.name}", key=place.key, days=work.retention_days))
        queue = {
            "MessageRetentionPeriod": 1_209_600,
            "KmsMasterKeyId": place.key,
            "KmsDataKeyReusePeriodSeconds": 300,
        }
        self.dead_letters = keep(resource(self, "DeadLetters", "AWS::SQS::Queue", queue))
        role = self._role(logs.get_att("Arn"), place.key)
        self.function = resource(self, "Function", "AWS::Lambda::Function", self._properties(role, place), after=[logs])
        version = keep(resource(self, "Version", "AWS::Lambda::Version", {"FunctionName": self.function.ref}))
        self.alias = resource(
            self,
            "Alias",
            "AWS::Lambda::Alias",
            {
                "FunctionName": self.function.ref,
                "FunctionVersion": version.get_att("Version"),
                "Name": work.alias,
            },
        )
        resource(  # and no DeadLetterConfig beside it: a failed event would arrive twice
            self,
            "OnFailure",
            "AWS::Lambda::EventInvokeConfig",
            {
                "FunctionName": self.function.ref,
                "Qualifier": work.alias,
                "MaximumRetryAttempts": 2,
                "DestinationConfig": {"OnFailure": {"Destination": self.dead_letters.get_att("Arn")}},
            },
            after=[self.alias],
        )
        export(self, f"{place.path}/{work.name}/alias-arn", self.alias.ref)
        if work.reserved and place.alarm_topic:
            watched = of_function(work.name, work.reserved)
            for word, properties in alarm_properties(watched, place.alarm_topic, place.path.strip("/").split("/")[0]):
                resource(self, f"AlarmAt{word}", "AWS::CloudWatch::Alarm", properties)

    def _properties(self, role: Any, place: FunctionPlace) -> dict[str, Any]:
        work = self.work
        return {
            "FunctionName": work.name,
            "Tags": [
                {"Key": "fig:function", "Value": work.planned_as or work.name},
                *([{"Key": "fig:security-group-set", "Value": place.set_name}] if place.set_name else []),
            ],
            "Role": role,
            "Runtime": work.runtime,
            "Handler": work.handler,
            "Architectures": [work.architecture],
            "Code": {
                "S3Bucket": parameter(self, "CodeBucket", description="The bucket of the functions' packages"),
                "S3Key": {"Fn::Sub": f"${{CodePrefix}}{work.name}.zip"},
            },
            "MemorySize": work.memory_mb,
            "Timeout": work.timeout_seconds,
            "ReservedConcurrentExecutions": work.reserved,
            "Layers": list(work.layers) or [_powertools(self, work)],
            "VpcConfig": {"SubnetIds": place.subnet_ids, "SecurityGroupIds": list(place.security_group_ids)},
            "TracingConfig": {"Mode": "Active"},
            "KmsKeyArn": place.key,
            "Environment": {
                "Variables": {
                    "POWERTOOLS_SERVICE_NAME": work.name,
                    "OTEL_SERVICE_NAME": work.name,
                    **dict(place.environment),
                }
            },
        }

    def _role(self, logs: Any, key: Any) -> Any:
        """The function's role: its log streams, queue and traces, and ENIs, which its own code may not touch."""
        interfaces = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
        interfaces += ["ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
        own = {"ArnEquals": {"lambda:SourceFunctionArn": arn("lambda", f"function:{self.work.name}")}}
        deny = {"Effect": "Deny", "Action": interfaces, "Resource": "*", "Condition": own}
        return resource(
            self,
            "Role",
            "AWS::IAM::Role",
            {
                "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
                "Policies": [
                    {
                        "PolicyName": "own",
                        "PolicyDocument": policy(
                            statement(["logs:CreateLogStream", "logs:PutLogEvents"], logs),
                            statement(["sqs:SendMessage"], self.dead_letters.get_att("Arn")),
                            statement(["kms:Decrypt", "kms:GenerateDataKey"], key),
                            statement(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*"),
                            statement(interfaces, "*"),
                            deny,
                            *rights(self.work.access),
                        ),
                    }
                ],
            },
        ).get_att("Arn")


def _powertools(scope: Construct, work: FunctionWork) -> Any:
    path = f"/aws/service/powertools/python/{work.architecture}/{work.runtime}/{work.powertools}"
    words = "Powertools' layer: the public SSM parameter that holds its ARN"
    return parameter(scope, "PowertoolsLayer", "AWS::SSM::Parameter::Value<String>", default=path, description=words)
