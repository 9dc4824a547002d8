# The first five are what `fig cidr show plan.json --format tfvars` writes: pass that file with -var-file.

variable "plan_digest" {
  description = "The digest of the plan; it is a tag of every VPC."
  type        = string
}

variable "region" {
  description = "The region that the plan is for; the provider must be of the same."
  type        = string
  nullable    = true
}

variable "availability_zones" {
  description = "The AZs of the plan."
  type        = list(string)
}

variable "vpcs" {
  description = "The VPCs of the plan by name, with their subnets by name."
  type = map(object({
    kind                  = string
    cidr_block            = string
    secondary_cidr_blocks = list(string)
    routable_cidr_blocks  = list(string)
    dual_stack            = bool
    ipv6_cidr_block       = optional(string)
    endpoints             = list(string)
    stock                 = map(number)
    security_group_sets   = map(number)
    subnets = map(object({
      cidr_block        = string
      availability_zone = string
      purpose           = string
      trust_zone        = optional(string)
      ipv6_index        = optional(number)
      ipv6_cidr_block   = optional(string)
    }))
  }))
}

variable "functions" {
  description = "In which VPC, trust zone, security-group set and AZs each function is."
  type = map(object({
    vpc                = string
    trust_zone         = string
    security_group_set = number
    availability_zones = list(string)
  }))
}

variable "name" {
  description = "What every name begins with."
  type        = string
  default     = "strangler-fig"
}

variable "on_premises_prefixes" {
  description = "What is routed to on-premises."
  type        = list(string)
  default     = []
}

variable "transit_gateway_id" {
  description = "The Transit Gateway that reaches on-premises; null attaches nothing."
  type        = string
  default     = null
}

variable "proxies_service_name" {
  description = "The proxies' endpoint service; null makes no endpoint to on-premises."
  type        = string
  default     = null
}

variable "proxies_ports" {
  description = "The ports that the proxies listen on."
  type        = list(number)
  default     = []
}

variable "egress_service_name" {
  description = "The egress proxies' endpoint service; null makes no endpoint to them."
  type        = string
  default     = null
}

variable "egress_port" {
  description = "The port that the egress proxies listen on."
  type        = number
  default     = 3128
}

variable "retention_days" {
  description = "How long flow logs stay."
  type        = number
  default     = 90
}
