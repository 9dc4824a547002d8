# The plan's VPCs, subnets, route tables, security-group sets and endpoints, and nothing that gives a public address.

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
