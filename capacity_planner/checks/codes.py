"""The codes of what the checks find, in one list, so that none means two things."""

OVERLAP = "CK101"
DUPLICATE = "CK102"
SHADOWED = "CK103"
OUTSIDE = "CK110"
UNKNOWN_VPC = "CK111"
VPC_SIZE = "CK120"
SUBNET_SIZE = "CK121"
IPV6_SIZE = "CK122"
TOO_SMALL = "CK123"
FULL = "CK124"
FORBIDDEN = "CK130"
CONTESTED = "CK131"
ASSOCIATION = "CK132"
ROUTE = "CK133"

BY_LIMIT = {
    "cidrs_per_vpc": "CK201",
    "ipv6_cidrs_per_vpc": "CK202",
    "subnets_per_vpc": "CK203",
    "eni_per_vpc": "CK204",
    "eni_per_region": "CK205",
    "interface_endpoints_per_vpc": "CK206",
    "gateway_endpoints_per_region": "CK207",
    "resource_endpoints_per_vpc": "CK208",
    "route_tables_per_vpc": "CK209",
    "routes_per_table": "CK210",
    "propagated_routes_per_table": "CK211",
    "vpcs_per_region": "CK212",
    "nau_per_vpc": "CK213",
    "nau_per_peered_vpcs": "CK214",
    "direct_connect_prefixes_in": "CK215",
    "direct_connect_prefixes_out": "CK216",
    "security_groups_per_eni": "CK217",
}
"""The code of each quota that is judged, by the catalogue's key."""
