-- Runs on routes whose limit is the fleet's. Every node has the whole fleet's bucket, and a request costs as many of its
-- tokens as there are nodes: so each node lets its part pass, and the parts change with the number of nodes at once. The
-- context is the limit: `requests` in each `per` seconds, `burst` at once; `untold`, the number of nodes when none is known.

local SHARES = "live/rtds/current"
local checked_at, nodes = nil, nil

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

-- Read ten times a second at most: a request may not wait for a disk.
local function number_of_nodes(handle)
  local now = tonumber(handle:timestamp())
  if not checked_at or now - checked_at >= 100 or now < checked_at then
    checked_at = now
    local text = read(SHARES)
    if text then nodes = tonumber(text:match('"fleet%.nodes":%s*(%d+)')) end
  end
  return nodes
end

function envoy_on_request(handle)
  local limit = handle:filterContext()
  -- Never more than the bucket holds: each node lets at least one request pass at a time.
  local cost = math.min(math.max(number_of_nodes(handle) or limit:get("untold"), 1), limit:get("burst"))
  local wait = math.max(1, math.ceil(cost * limit:get("per") / limit:get("requests")))
  handle:streamInfo():dynamicMetadata():set("fig", "limit", { cost = cost, retry_after = string.format("%d", wait) })
end
