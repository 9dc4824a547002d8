# The plan's VPCs, subnets, route tables, security-group sets and endpoints, and nothing that gives a public address.

locals {
  subnets = merge([
    for vpc, one in var.vpcs : { for name, subnet in one.subnets : name => merge(subnet, { vpc = vpc }) }
  ]...)

  blocks = merge([
    for vpc, one in var.vpcs : { for block in one.secondary_cidr_blocks : "${vpc}/${block}" => { vpc = vpc, block = block } }
  ]...)

  # A route table for each VPC, purpose and trust zone.
  table_of = { for name, one in local.subnets : name => join("/", compact([one.vpc, one.purpose, one.trust_zone])) }
  tables   = { for name, table in local.table_of : table => local.subnets[name].vpc... }

  sets = merge(flatten([
    for vpc, one in var.vpcs : [
      for zone, count in one.security_group_sets : {
        for number in range(1, count + 1) : "${vpc}/${zone}/${number}" => { vpc = vpc, zone = zone, number = number }
      }
    ]
  ])...)

  ports = distinct(concat([443], var.proxies_ports, var.egress_service_name != null ? [var.egress_port] : []))

  # What the planner calls the endpoints of this project's own fleets, and the service that each leads to.
  services = { for name, service in { "on-premises" = var.proxies_service_name, "egress" = var.egress_service_name } : name => service if service != null }

  fleets = merge([
    for vpc, one in var.vpcs : {
      for name in one.endpoints : "${vpc}/${name}" => { vpc = vpc, name = name } if contains(keys(local.services), name)
    }
  ]...)

  endpoints = merge([
    for vpc, one in var.vpcs : {
      for service in one.endpoints : "${vpc}/${service}" => { vpc = vpc, service = service }
      if !contains(["on-premises", "egress", "s3", "dynamodb"], service)
    }
  ]...)

  # One subnet in each AZ: the first by name, so that a grown segment's further part is not taken.
  endpoint_subnets = {
    for vpc, one in var.vpcs : vpc => [
      for az in var.availability_zones : sort([
        for name, subnet in one.subnets : name if subnet.purpose == "endpoints" && subnet.availability_zone == az
      ])[0]
    ] if length([for subnet in values(one.subnets) : subnet if subnet.purpose == "endpoints"]) > 0
  }
}

data "aws_partition" "this" {}
data "aws_region" "this" {}
data "aws_caller_identity" "this" {}

resource "aws_vpc" "this" {
  for_each = var.vpcs

  cidr_block           = each.value.cidr_block
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { "Name" = "${var.name}-${each.key}", "fig:vpc" = each.key, "fig:plan" = var.plan_digest }
}

resource "aws_vpc_ipv4_cidr_block_association" "this" {
  for_each = local.blocks

  vpc_id     = aws_vpc.this[each.value.vpc].id
  cidr_block = each.value.block
}

resource "aws_subnet" "this" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.this[each.value.vpc].id
  cidr_block              = each.value.cidr_block
  availability_zone       = each.value.availability_zone
  map_public_ip_on_launch = false
  tags                    = { "Name" = each.key, "fig:purpose" = each.value.purpose }

  depends_on = [aws_vpc_ipv4_cidr_block_association.this]
}

resource "aws_route_table" "this" {
  for_each = local.tables

  vpc_id = aws_vpc.this[each.value[0]].id
  tags   = { "Name" = each.key }
}

resource "aws_route_table_association" "this" {
  for_each = local.table_of

  subnet_id      = aws_subnet.this[each.key].id
  route_table_id = aws_route_table.this[each.value].id
}

resource "aws_security_group" "set" {
  for_each = local.sets

  name        = "${var.name}-${replace(each.key, "/", "-")}"
  description = "Functions of the trust zone ${each.value.zone}, set ${each.value.number}"
  vpc_id      = aws_vpc.this[each.value.vpc].id
}

resource "aws_security_group" "endpoints" {
  for_each = var.vpcs

  name        = "${var.name}-${each.key}-endpoints"
  description = "Interface endpoints"
  vpc_id      = aws_vpc.this[each.key].id
}

resource "aws_vpc_security_group_egress_rule" "set" {
  for_each = { for pair in setproduct(keys(local.sets), local.ports) : "${pair[0]}/${pair[1]}" => pair }

  security_group_id            = aws_security_group.set[each.value[0]].id
  referenced_security_group_id = aws_security_group.endpoints[local.sets[each.value[0]].vpc].id
  ip_protocol                  = "tcp"
  from_port                    = each.value[1]
  to_port                      = each.value[1]
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  for_each = { for pair in setproduct(keys(local.sets), local.ports) : "${pair[0]}/${pair[1]}" => pair }

  security_group_id            = aws_security_group.endpoints[local.sets[each.value[0]].vpc].id
  referenced_security_group_id = aws_security_group.set[each.value[0]].id
  ip_protocol                  = "tcp"
  from_port                    = each.value[1]
  to_port                      = each.value[1]
}

resource "aws_vpc_security_group_ingress_rule" "hub" {
  for_each = merge([
    for vpc, one in var.vpcs : {
      for block in concat(one.routable_cidr_blocks, var.on_premises_prefixes) : "${vpc}/${block}" => { vpc = vpc, block = block }
    } if one.kind == "hub"
  ]...)

  security_group_id = aws_security_group.endpoints[each.value.vpc].id
  cidr_ipv4         = each.value.block
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.endpoints

  vpc_id              = aws_vpc.this[each.value.vpc].id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${data.aws_region.this.name}.${each.value.service}"
  subnet_ids          = [for name in local.endpoint_subnets[each.value.vpc] : aws_subnet.this[name].id]
  security_group_ids  = [aws_security_group.endpoints[each.value.vpc].id]
  private_dns_enabled = true

  # An account's own principals alone. AWS would take an account as principal for its root user here.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "*"
      Resource  = "*"
      Condition = { StringEquals = { "aws:PrincipalAccount" = data.aws_caller_identity.this.account_id } }
    }]
  })
}

resource "aws_vpc_endpoint" "fleet" {
  for_each = local.fleets

  vpc_id              = aws_vpc.this[each.value.vpc].id
  vpc_endpoint_type   = "Interface"
  service_name        = local.services[each.value.name]
  subnet_ids          = [for name in local.endpoint_subnets[each.value.vpc] : aws_subnet.this[name].id]
  security_group_ids  = [aws_security_group.endpoints[each.value.vpc].id]
  private_dns_enabled = false
}

resource "aws_ec2_transit_gateway_vpc_attachment" "this" {
  for_each = { for vpc, one in var.vpcs : vpc => one if var.transit_gateway_id != null && contains([for subnet in values(one.subnets) : subnet.purpose], "attachments") }

  transit_gateway_id = var.transit_gateway_id
  vpc_id             = aws_vpc.this[each.key].id
  subnet_ids         = [for name, one in each.value.subnets : aws_subnet.this[name].id if one.purpose == "attachments"]
}

resource "aws_route" "on_premises" {
  for_each = {
    for pair in setproduct([for table, vpcs in local.tables : table if var.transit_gateway_id != null && var.vpcs[vpcs[0]].kind == "hub"], var.on_premises_prefixes) :
    "${pair[0]}/${pair[1]}" => pair
  }

  route_table_id         = aws_route_table.this[each.value[0]].id
  destination_cidr_block = each.value[1]
  transit_gateway_id     = var.transit_gateway_id

  depends_on = [aws_ec2_transit_gateway_vpc_attachment.this]
}
