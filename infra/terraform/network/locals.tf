# What the plan's variables come to: the maps that resources loop over.

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
