"""ControlPlane: the ledger of every decision, on Aurora MySQL, as `fig control --ledger` asks for it."""

from typing import Any

from constructs import Construct

from .fleet import FleetPlace
from .logs import encryption_key, log_group
from .resource import export, keep, policy, resource, snapshot, statement, tags

PORT = 3306
_LOGS = ("audit", "error", "slowquery")
_USER, _DATABASE = "ledger", "ledger"
_SETTINGS = {
    "require_secure_transport": "ON",
    # With a binary log, the triggers that keep the history append-only would need a right that nobody has here.
    "binlog_format": "OFF",
    # Who connected, who changed what, and what was slow: without these the exported log groups stay empty.
    "server_audit_logging": "1",
    "server_audit_events": "CONNECT,QUERY_DCL,QUERY_DDL",
    "slow_query_log": "1",
    "long_query_time": "1",
}


class ControlPlane(Construct):
    """An Aurora MySQL cluster of two instances, encrypted, with a secret that AWS rotates and a policy to read it.

    Costs two db.t4g.medium at about 0.08 USD an hour each, storage and I/O by use. What binds: 90 connections of that
    class by Aurora's formula, of which control needs a handful. A router host needs none of it to serve: when it is
    gone, weights stay as they are and moves towards legacy still work.

    Control's host reads the secret by the policy that is exported, and writes it to the file of
    `--ledger-password-file`; the URL of `--ledger` is exported too.
    """

    def __init__(
        self, scope: Construct, name: str, place: FleetPlace, owner: str = "strangler-fig", retention_days: int = 90
    ) -> None:
        super().__init__(scope, name)
        title = f"{owner}-ledger"
        key = encryption_key(self, "The ledger")
        group = self._group(place, title)
        cluster = self._cluster(place, title, key, group, retention_days)
        for number in (1, 2):
            self._instance(cluster, f"{title}-{number}", number)
        self._say_where(cluster, key, f"/{owner}/ledger")

    def _group(self, place: FleetPlace, title: str) -> Any:
        nothing = {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}
        way = {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT, "Description": "control"}
        return resource(
            self,
            "Group",
            "AWS::EC2::SecurityGroup",
            {
                "GroupDescription": "The ledger",
                "VpcId": place.vpc_id,
                "SecurityGroupIngress": [{**way, "CidrIp": block} for block in place.clients] or None,
                "SecurityGroupEgress": [{**nothing, "Description": "lets nothing out"}],
                "Tags": tags(title),
            },
        )

    def _cluster(self, place: FleetPlace, title: str, key: Any, group: Any, retention_days: int) -> Any:
        places = {"DBSubnetGroupDescription": "The ledger", "SubnetIds": place.balancer_subnet_ids}
        subnets = resource(self, "Subnets", "AWS::RDS::DBSubnetGroup", places)
        settings = {"Family": "aurora-mysql8.0", "Description": title, "Parameters": _SETTINGS}
        parameters = resource(self, "Parameters", "AWS::RDS::DBClusterParameterGroup", settings)
        # RDS would make these groups itself, without end or key of ours; so the cluster has a name to know theirs by.
        groups = [
            keep(log_group(self, f"Log{one.title()}", f"/aws/rds/cluster/{title}/{one}", key=key, days=retention_days))
            for one in _LOGS
        ]
        cluster = {
            "DBClusterIdentifier": title,
            "Engine": "aurora-mysql",
            "DatabaseName": _DATABASE,
            "DBClusterParameterGroupName": parameters.ref,
            "DBSubnetGroupName": subnets.ref,
            "VpcSecurityGroupIds": [group.get_att("GroupId")],
            "StorageEncrypted": True,
            "KmsKeyId": key,
            "MasterUsername": _USER,
            "ManageMasterUserPassword": True,
            "MasterUserSecret": {"KmsKeyId": key},
            "EnableIAMDatabaseAuthentication": True,
            "BackupRetentionPeriod": 35,
            "CopyTagsToSnapshot": True,
            "DeletionProtection": True,
            "EnableCloudwatchLogsExports": list(_LOGS),
            "Tags": tags(title),
        }
        return snapshot(resource(self, "Cluster", "AWS::RDS::DBCluster", cluster, after=groups))

    def _instance(self, cluster: Any, title: str, number: int) -> None:
        instance = {
            "Engine": "aurora-mysql",
            "DBClusterIdentifier": cluster.ref,
            "DBInstanceClass": "db.t4g.medium",
            "PubliclyAccessible": False,
            "CACertificateIdentifier": "rds-ca-rsa2048-g1",
            "AutoMinorVersionUpgrade": True,
            "Tags": tags(title),
        }
        resource(self, f"Instance{number}", "AWS::RDS::DBInstance", instance)

    def _say_where(self, cluster: Any, key: Any, path: str) -> None:
        """Export the address, the secret, the URL for control, and the policy to read the secret."""
        host, secret = cluster.get_att("Endpoint.Address"), cluster.get_att("MasterUserSecret.SecretArn")
        export(self, f"{path}/host", host)
        export(self, f"{path}/secret-arn", secret)
        url = {"Fn::Sub": [f"mysql://{_USER}@${{Host}}:{PORT}/{_DATABASE}", {"Host": host}]}
        export(self, f"{path}/url", url)
        reader = {
            "Description": "Reads the ledger's password; for the role of control's host",
            "PolicyDocument": policy(
                statement(["secretsmanager:GetSecretValue"], secret), statement(["kms:Decrypt"], key)
            ),
        }
        made = resource(self, "SecretReader", "AWS::IAM::ManagedPolicy", reader)
        export(self, f"{path}/secret-policy-arn", made.ref)
