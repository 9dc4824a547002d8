output "vpc_ids" {
  description = "The VPCs' ids by the plan's names."
  value       = { for name, one in aws_vpc.this : name => one.id }
}

output "subnet_ids" {
  description = "The subnets' ids by the plan's names."
  value       = { for name, one in aws_subnet.this : name => one.id }
}

output "functions" {
  description = "What each function's vpc_config takes."
  value = {
    for name, one in var.functions : name => {
      subnet_ids = [
        for subnet, own in local.subnets : aws_subnet.this[subnet].id
        if own.vpc == one.vpc && own.trust_zone == one.trust_zone && contains(one.availability_zones, own.availability_zone)
      ]
      security_group_ids = [aws_security_group.set["${one.vpc}/${one.trust_zone}/${one.security_group_set}"].id]
    }
  }
}
