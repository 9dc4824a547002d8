"""RouterFleet and RouterHosts: Envoy nodes on EC2, or the identity of the same nodes on hosts on-premises."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from constructs import Construct

from .fleet import FleetPlace, FleetSize, Host, host_template
from .resource import export, parameter, policy, resource, statement, tags, trust

HEALTH_PATH = "/vip-health"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterWork:
    """Which aliases the routers invoke (ARNs, with qualifier), on which port they listen, and who may connect."""

    name: str
    function_arns: tuple[str, ...]
    port: int
    sources: tuple[str, ...]


def invoke_policy(function_arns: Sequence[str]) -> dict[str, Any]:
    """What a router may do: invoke the estate's functions by the qualifiers that the estate names. Nothing else."""
    return policy(statement(["lambda:InvokeFunction"], list(function_arns)))


class RouterFleet(Construct):
    """Router nodes on EC2 behind an internal load balancer that the corporate VIP sends to.

    Costs its hosts and the load balancer. What binds: Lambda's concurrency long before Envoy; 5 Gbps of one flow; on
    the balancer 55,000 connections for each address and host. The VIP, and the balancer, ask `/vip-health`: a node
    answers 503 there from the moment it drains, and traffic ends before it does.
    """

    def __init__(self, scope: Construct, name: str, place: FleetPlace, size: FleetSize, work: RouterWork) -> None:
        super().__init__(scope, name)
        self.work = work
        groups = [
            self._group(place, "BalancerGroup", [{"CidrIp": one, **_tcp(work.port)} for one in work.sources]),
        ]
        groups.append(
            self._group(place, "HostGroup", [{"SourceSecurityGroupId": groups[0], **_tcp(work.port)}], lets_out=True)
        )
        out = {"GroupId": groups[0], "DestinationSecurityGroupId": groups[1], "Description": "to routers"}
        resource(self, "BalancerOut", "AWS::EC2::SecurityGroupEgress", {**out, **_tcp(work.port)})
        targets = self._balance(place, groups[0])
        invoke = {"PolicyName": "invoke", "PolicyDocument": invoke_policy(work.function_arns)}
        host = Host(
            name=f"{work.name}-router", instance=size.instance, group=groups[1], script=_SCRIPT, policies=(invoke,)
        )
        template = host_template(self, host)
        resource(
            self,
            "Hosts",
            "AWS::AutoScaling::AutoScalingGroup",
            {
                "MinSize": str(size.least),
                "MaxSize": str(size.most),
                "VPCZoneIdentifier": place.subnet_ids,
                "LaunchTemplate": {
                    "LaunchTemplateId": template.ref,
                    "Version": template.get_att("LatestVersionNumber"),
                },
                "TargetGroupARNs": [targets],
                "HealthCheckType": "ELB",
                "HealthCheckGracePeriod": 180,
                "Tags": [{"Key": "Name", "Value": f"{work.name}-router", "PropagateAtLaunch": True}],
            },
        ).add_override(
            "UpdatePolicy",
            {"AutoScalingRollingUpdate": {"MinInstancesInService": str(size.least), "PauseTime": "PT5M"}},
        )
        export(self, f"/{work.name}/routers/security-group-id", groups[1])

    def _group(self, place: FleetPlace, name: str, ingress: list[dict[str, Any]], *, lets_out: bool = False) -> Any:
        nothing = {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}
        anywhere = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65535, "CidrIp": "0.0.0.0/0"}
        out = (
            {**anywhere, "Description": "legacy and Lambda: the subnet has no way to the internet"}
            if lets_out
            else nothing
        )
        properties = {
            "GroupDescription": f"{self.work.name} {name}",
            "VpcId": place.vpc_id,
            "SecurityGroupIngress": [{**one, "Description": "clients"} for one in ingress] or None,
            "SecurityGroupEgress": [out],
            "Tags": tags(f"{self.work.name}-{name.lower()}"),
        }
        return resource(self, name, "AWS::EC2::SecurityGroup", properties).get_att("GroupId")

    def _balance(self, place: FleetPlace, group: Any) -> Any:
        """The ARN of the target group behind an internal load balancer.

        Client addresses stay (`preserve_client_ip`): the estate's `client_address` names no hop for it.
        """
        attributes = [
            {"Key": "deletion_protection.enabled", "Value": "true"},
            {"Key": "load_balancing.cross_zone.enabled", "Value": "true"},
        ]
        balancer = resource(
            self,
            "Balancer",
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            {
                "Type": "network",
                "Scheme": "internal",
                "Subnets": place.balancer_subnet_ids,
                "SecurityGroups": [group],
                "LoadBalancerAttributes": attributes,
            },
        )
        targets = resource(
            self,
            "Targets",
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            {
                "VpcId": place.vpc_id,
                "Protocol": "TCP",
                "Port": self.work.port,
                "TargetType": "instance",
                "HealthCheckProtocol": "HTTP",
                "HealthCheckPath": HEALTH_PATH,
                "HealthCheckIntervalSeconds": 5,
                "HealthyThresholdCount": 2,
                "UnhealthyThresholdCount": 2,
                "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}],
            },
        )
        properties = {
            "LoadBalancerArn": balancer.ref,
            "Protocol": "TCP",
            "Port": self.work.port,
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": targets.ref}],
        }
        resource(self, "Listener", "AWS::ElasticLoadBalancingV2::Listener", properties)
        export(self, f"/{self.work.name}/routers/load-balancer-host", balancer.get_att("DNSName"))
        return targets.ref


class RouterHosts(Construct):
    """IAM Roles Anywhere for router hosts on-premises: they invoke the estate's functions with their own certificates.

    Costs nothing. What binds: a session lasts an hour and is renewed by the node; the trust anchor is the company's CA,
    so the role asks for a certificate's common name too, or any certificate of that CA would do.
    """

    def __init__(self, scope: Construct, name: str, work: RouterWork, common_names: str = "router-*") -> None:
        super().__init__(scope, name)
        bundle = parameter(self, "CertificateAuthority", description="The CA of the router hosts' certificates, PEM")
        source = {"SourceType": "CERTIFICATE_BUNDLE", "SourceData": {"X509CertificateData": bundle}}
        anchor = resource(
            self,
            "Anchor",
            "AWS::RolesAnywhere::TrustAnchor",
            {"Name": f"{work.name}-routers", "Enabled": True, "Source": source},
        )
        document = trust("rolesanywhere.amazonaws.com")
        document["Statement"][0]["Action"] = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
        document["Statement"][0]["Condition"] = {
            "ArnEquals": {"aws:SourceArn": anchor.get_att("TrustAnchorArn")},
            "StringLike": {"aws:PrincipalTag/x509Subject/CN": common_names},
        }
        inline = [{"PolicyName": "invoke", "PolicyDocument": invoke_policy(work.function_arns)}]
        role = resource(self, "Role", "AWS::IAM::Role", {"AssumeRolePolicyDocument": document, "Policies": inline})
        profile = resource(
            self,
            "Profile",
            "AWS::RolesAnywhere::Profile",
            {
                "Name": f"{work.name}-routers",
                "Enabled": True,
                "DurationSeconds": 3600,
                "RoleArns": [role.get_att("Arn")],
            },
        )
        export(self, f"/{work.name}/routers/role-arn", role.get_att("Arn"))
        export(self, f"/{work.name}/routers/profile-arn", profile.get_att("ProfileArn"))
        export(self, f"/{work.name}/routers/trust-anchor-arn", anchor.get_att("TrustAnchorArn"))


_SCRIPT = """#!/bin/bash
set -euo pipefail
# The image holds Envoy, strangler-fig and the units of infra/hosts.
systemctl enable --now fig-node
"""


def _tcp(port: int) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
