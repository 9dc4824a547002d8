"""A fleet of proxies behind a network load balancer that others reach through PrivateLink: what both fleets share.

Three pitfalls that are settled here. Client IP preservation has no effect on PrivateLink and is on by default for
instances, where it makes a connection fail whose client and target are one host: it is off, and PROXY protocol v2 says
who the client was. With it on, health checks carry the header too, so they ask a port of their own. The load balancer's
idle timeout must exceed what adapters keep idle, and PrivateLink forgets a connection after 350 s whatever it says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from ..artefacts.agreement import HEALTH_PORT
from .logs import encryption_key, log_group
from .proxy_files import access_group
from .resource import export, keep, parameter, policy, resource, statement, tags, trust

_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlace:
    """Where a fleet stands: VPC, its subnets, one of them in each AZ for the balancer, and who may connect to that.

    `clients` are the consumers' blocks: PrivateLink shows the load balancer's security group the consumer's own
    addresses.
    """

    vpc_id: Any
    subnet_ids: Any
    balancer_subnet_ids: Any
    clients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSize:
    """How many hosts today and at most while they are replaced or grow, and of which type."""

    least: int
    most: int
    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetWork:
    """What a fleet does: its name, its ports, what it may connect to, its hosts' script, who may ask for an endpoint.

    `outbound`: rules of EC2's security-group egress. `publishes`: a namespace of CloudWatch that hosts write to.
    `retention_days`: how long the records of who connected stay, in the log group `/NAME/access`.
    `is_cross_zone`: whether the balancer's address in a zone sends to hosts of all zones.
    """

    name: str
    path: str
    ports: tuple[int, ...]
    outbound: tuple[Mapping[str, Any], ...]
    script: str
    allowed_principals: tuple[str, ...] = ()
    publishes: str = ""
    retention_days: int = 90
    is_cross_zone: bool = True


class Fleet(Construct):
    """Hosts in an Auto Scaling group, a load balancer, an endpoint service that accepts by hand."""

    def __init__(self, scope: Construct, name: str, place: FleetPlace, size: FleetSize, work: FleetWork) -> None:
        super().__init__(scope, name)
        self.work = work
        self.place = place
        self.balancer_group = self._group("BalancerGroup", f"Load balancer of {work.name}")
        self.host_group = self._group("HostGroup", f"Hosts of {work.name}")
        self._connect_groups()
        self.balancer = self._balancer()
        self.target_groups = [self._listen(port) for port in work.ports]
        key = encryption_key(self, f"Records of {work.name}")
        keep(log_group(self, "Records", access_group(work.name), key=key, days=work.retention_days))
        self._hosts(size)
        self._service()

    def _group(self, name: str, description: str) -> Any:
        nothing = {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}
        made = resource(
            self,
            name,
            "AWS::EC2::SecurityGroup",
            {
                "GroupDescription": description,
                "VpcId": self.place.vpc_id,
                "SecurityGroupEgress": [{**nothing, "Description": "lets nothing out"}],
                "Tags": tags(description),
            },
        )
        return made.get_att("GroupId")

    def _connect_groups(self) -> None:
        for port in self.work.ports:
            for place, block in enumerate(self.place.clients, start=1):
                rule = {"GroupId": self.balancer_group, "CidrIp": block, "Description": "consumers", **_tcp(port)}
                resource(self, f"In{port}From{place}", "AWS::EC2::SecurityGroupIngress", rule)
        for port in (*self.work.ports, HEALTH_PORT):
            out = {"GroupId": self.balancer_group, "DestinationSecurityGroupId": self.host_group, **_tcp(port)}
            into = {"GroupId": self.host_group, "SourceSecurityGroupId": self.balancer_group, **_tcp(port)}
            resource(self, f"Out{port}", "AWS::EC2::SecurityGroupEgress", {**out, "Description": "to hosts"})
            resource(self, f"In{port}", "AWS::EC2::SecurityGroupIngress", {**into, "Description": "from the balancer"})
        once = {  # EC2 refuses a rule twice
            (str(rule.get("CidrIp") or rule["DestinationPrefixListId"]), rule["FromPort"]): rule
            for rule in reversed(self.work.outbound)
        }
        for place, rule in enumerate(reversed(once.values()), start=1):
            properties = {"GroupId": self.host_group, **rule}
            resource(self, f"HostOut{place}", "AWS::EC2::SecurityGroupEgress", properties)

    def _balancer(self) -> cdk.CfnResource:
        attributes = {
            "deletion_protection.enabled": "true",
            "load_balancing.cross_zone.enabled": "true" if self.work.is_cross_zone else "false",
        }
        return resource(
            self,
            "Balancer",
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            {
                "Type": "network",
                "Scheme": "internal",
                "IpAddressType": "ipv4",
                "Subnets": self.place.balancer_subnet_ids,
                "SecurityGroups": [self.balancer_group],
                "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "on",
                "LoadBalancerAttributes": _attributes(attributes),
            },
        )

    def _listen(self, port: int) -> Any:
        attributes = {
            "proxy_protocol_v2.enabled": "true",
            "preserve_client_ip.enabled": "false",
            "deregistration_delay.timeout_seconds": "120",
            "deregistration_delay.connection_termination.enabled": "true",
        }
        group = resource(
            self,
            f"Targets{port}",
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            {
                "VpcId": self.place.vpc_id,
                "Protocol": "TCP",
                "Port": port,
                "TargetType": "instance",
                "HealthCheckProtocol": "TCP",
                "HealthCheckPort": str(HEALTH_PORT),
                "HealthCheckIntervalSeconds": 10,
                "HealthyThresholdCount": 2,
                "UnhealthyThresholdCount": 2,
                "TargetGroupAttributes": _attributes(attributes),
            },
        )
        resource(
            self,
            f"Listener{port}",
            "AWS::ElasticLoadBalancingV2::Listener",
            {
                "LoadBalancerArn": self.balancer.ref,
                "Protocol": "TCP",
                "Port": port,
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": group.ref}],
                "ListenerAttributes": _attributes({"tcp.idle_timeout.seconds": "3600"}),
            },
        )
        return group.ref

    def _hosts(self, size: FleetSize) -> None:
        namespace = {"StringEquals": {"cloudwatch:namespace": self.work.publishes}}
        publish = policy(statement(["cloudwatch:PutMetricData"], "*", Condition=namespace))
        host = Host(
            name=self.work.name,
            instance=size.instance,
            group=self.host_group,
            script=self.work.script,
            policies=({"PolicyName": "metrics", "PolicyDocument": publish},) if self.work.publishes else (),
        )
        template = host_template(self, host)
        made = resource(
            self,
            "Hosts",
            "AWS::AutoScaling::AutoScalingGroup",
            {
                "MinSize": str(size.least),
                "MaxSize": str(size.most),
                "VPCZoneIdentifier": self.place.subnet_ids,
                "LaunchTemplate": {
                    "LaunchTemplateId": template.ref,
                    "Version": template.get_att("LatestVersionNumber"),
                },
                "TargetGroupARNs": self.target_groups,
                "HealthCheckType": "ELB",
                "HealthCheckGracePeriod": 180,
                "Tags": [{"Key": "Name", "Value": self.work.name, "PropagateAtLaunch": True}],
            },
        )
        rolling = {"MinInstancesInService": str(size.least), "PauseTime": "PT5M"}
        made.add_override("UpdatePolicy", {"AutoScalingRollingUpdate": rolling})
        export(self, f"{self.work.path}/hosts-group-name", made.ref)

    def _service(self) -> None:
        made = resource(
            self,
            "Service",
            "AWS::EC2::VPCEndpointService",
            {"AcceptanceRequired": True, "NetworkLoadBalancerArns": [self.balancer.ref], "Tags": tags(self.work.name)},
        )
        if self.work.allowed_principals:
            allowed = {"ServiceId": made.ref, "AllowedPrincipals": list(self.work.allowed_principals)}
            resource(self, "Permissions", "AWS::EC2::VPCEndpointServicePermissions", allowed)
        service = {"Fn::Sub": ["com.amazonaws.vpce.${AWS::Region}.${Id}", {"Id": made.ref}]}
        export(self, f"{self.work.path}/endpoint-service-name", service)
        export(self, f"{self.work.path}/load-balancer-name", self.balancer.get_att("LoadBalancerFullName"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host of a fleet: name, type, security group, first script, and what its role may do beside logging."""

    name: str
    instance: str
    group: Any
    script: str
    policies: tuple[Mapping[str, Any], ...] = ()


def host_template(scope: Construct, host: Host) -> cdk.CfnResource:
    """A launch template: encrypted disk, metadata by token only, no key pair, access by Session Manager alone."""
    name, instance = host.name, host.instance
    architecture = "arm64" if instance.split(".", maxsplit=1)[0].endswith(("g", "gn", "gd")) else "x86_64"
    image = parameter(
        scope,
        "Image",
        "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>",
        default=_IMAGE.format(architecture),
        description="The hosts' image: the SSM parameter that holds its id; NAME:VERSION keeps it what it is",
    )
    logs = {"Fn::Sub": f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:/{name}/*"}
    write = statement(["logs:CreateLogStream", "logs:PutLogEvents"], logs)
    role = resource(
        scope,
        "HostRole",
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": trust("ec2.amazonaws.com"),
            "ManagedPolicyArns": [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"}],
            "Policies": [{"PolicyName": "logs", "PolicyDocument": policy(write)}, *host.policies],
        },
    )
    profile = resource(scope, "HostProfile", "AWS::IAM::InstanceProfile", {"Roles": [role.ref]})
    disk = {"Ebs": {"Encrypted": True, "VolumeType": "gp3", "VolumeSize": 20, "DeleteOnTermination": True}}
    return resource(
        scope,
        "Template",
        "AWS::EC2::LaunchTemplate",
        {
            "LaunchTemplateData": {
                "ImageId": image,
                "InstanceType": instance,
                "IamInstanceProfile": {"Arn": profile.get_att("Arn")},
                "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"},
                "NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": False, "Groups": [host.group]}],
                "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", **disk}],
                "UserData": {"Fn::Base64": host.script},
            }
        },
    )


def _tcp(port: int) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}


def _attributes(values: Mapping[str, str]) -> Sequence[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]
