"""From what emitters send to rows: stable names, side, role and route, nothing secret, everything bounded. Pure."""
