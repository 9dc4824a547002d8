"""VPC endpoints, and what may be done through each.

AWS compares a principal that is an account with its root user alone in the policies of gateway endpoints, so the
account is named by a condition there, and everywhere, to be the same. Source: VPC User Guide, "Control access using
endpoint policies".
"""

from typing import Any

from constructs import Construct

from ..artefacts.plan import FLEETS, Purpose
from .network import Network
from .resource import export, parameter, policy, resource, tags

_ACTIONS = {
    "lambda": ["lambda:InvokeFunction"],
    "logs": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
    "secretsmanager": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
    "ssm": ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
    "sqs": ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
    "sns": ["sns:Publish"],
    "sts": ["sts:AssumeRole", "sts:GetCallerIdentity"],
    "kms": ["kms:Decrypt", "kms:GenerateDataKey"],
    "monitoring": ["cloudwatch:PutMetricData"],
    "xray": ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSampling*"],
    "kinesis-streams": ["kinesis:PutRecord", "kinesis:PutRecords"],
    "dynamodb": ["dynamodb:*Item", "dynamodb:Query", "dynamodb:Scan", "dynamodb:DescribeTable"],
    "s3": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
}


def endpoint_policy(service: str) -> dict[str, Any]:
    """What principals of this account may do through the endpoint of a service; of an unknown one, all that it has."""
    account = {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
    actions = _ACTIONS.get(service, [f"{service.split('-', maxsplit=1)[0]}:*"])
    allow = {"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": "*", "Condition": account}
    if service not in ("s3", "dynamodb", "lambda"):
        return policy(allow)
    own = {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}  # whose bucket, table or function it is
    allow["Condition"] = {"StringEquals": {**account["StringEquals"], **own}}
    if service != "s3":
        return policy(allow)
    packages = {"Fn::Sub": "arn:${AWS::Partition}:s3:::al2023-repos-${AWS::Region}-*/*"}
    over_tls = {"Bool": {"aws:SecureTransport": "true"}}
    read = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject"],
        "Resource": [packages],
        "Condition": over_tls,
    }
    return policy(allow, read)  # the distribution's packages are in buckets of AWS and fetched without signature


def service_name(service: str, cn_endpoints: tuple[str, ...] = ()) -> dict[str, str]:
    """What AWS calls the endpoint service of a service, in the stack's region."""
    return {"Fn::Sub": f"{'cn.' * (service in cn_endpoints)}com.amazonaws.${{AWS::Region}}.{service}"}


def interface_endpoints(network: Network, allowed_from: list[dict[str, Any]]) -> Any:
    """The id of the security group of a VPC's interface endpoints, which are made where the planner counted them.

    Each costs about 0.011 USD an hour in each AZ and 0.01 USD a GB; 10 Gbps in an AZ at once, 100 at most.
    Source: AWS PrivateLink pricing and quotas, 2025.
    """
    group = network.security_group("EndpointGroup", "Interface endpoints", allowed_from)
    subnets = network.one_in_each_az(Purpose.ENDPOINTS)
    for service in network.plan.endpoints:
        if service not in (*FLEETS, "s3", "dynamodb"):
            made = resource(
                network,
                "Endpoint" + "".join(word.title() for word in service.split("-")),
                "AWS::EC2::VPCEndpoint",
                {
                    "VpcEndpointType": "Interface",
                    "VpcId": network.vpc_id,
                    "ServiceName": service_name(service, network.settings.cn_endpoints),
                    "SubnetIds": subnets,
                    "SecurityGroupIds": [group],
                    "PrivateDnsEnabled": True,
                    "PolicyDocument": endpoint_policy(service),
                    "Tags": tags(f"{network.plan.name}-{service}", endpoint=service),
                },
            )
            export(network, f"{network.path}/endpoints/{service}/id", made.ref)
    return group


def prefix_list(scope: Construct, service: str) -> Any:
    """The id of AWS's prefix list of a gateway endpoint's service, which differs between regions and is asked for.

    Traffic to a gateway endpoint goes to the service's own addresses, so a security group has to let it out there.
    Source: VPC User Guide, "Gateway endpoints", security.
    """
    return parameter(
        scope,
        f"{service.title()}PrefixListId",
        description=f"aws ec2 describe-managed-prefix-lists: the list whose name ends in .{service}",
        allowed_pattern="pl-[0-9a-f]+",
    )


def gateway_endpoints(network: Network, scope: Construct) -> None:
    """Ways to S3 and DynamoDB from every subnet; they cost nothing and take no addresses."""
    tables = list(network.tables.values())
    for service in ("s3", "dynamodb"):
        properties = {
            "VpcEndpointType": "Gateway",
            "VpcId": network.vpc_id,
            "ServiceName": {"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{service}"},
            "RouteTableIds": tables,
            "PolicyDocument": endpoint_policy(service),
        }
        resource(scope, f"Gateway{service.title()}", "AWS::EC2::VPCEndpoint", properties)
