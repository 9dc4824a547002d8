-- Appended to hash.lua. Runs on two-sided routes only: who the user is (for the log, as a pseudonym; for upstreams, as the
-- sticky key; for the evidence, as a bucket of users) and which weight is in force. The side itself was drawn before any
-- filter ran. Context: the route's settled `weight` (left out when 0), and the `cookie` or `header` that holds the key.
-- This runs for each request: what can be remembered is.

local WEIGHTS, LOG_KEY = "live/rtds/current", "log.key"
local MOST_REMEMBERED = 20000
-- Buckets of users are 64 counters for one. Where more routes move than these, none has them: who reads the counters each
-- second would hold up Envoy's main thread, and weights with it.
local MOST_IN_BUCKETS = 64
local checked_at, content, moving, in_buckets = nil, nil, {}, false
local hex_key, key_low, key_high = nil, 0, 0
local pseudonyms, buckets, remembered = {}, {}, 0

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

-- The moving weights, by route: read ten times a second at most, because a log line may lag but a request may not
-- wait for a disk.
local function weights(handle)
  local now = tonumber(handle:timestamp())
  if not checked_at or now - checked_at >= 100 or now < checked_at then
    checked_at = now
    local text = read(WEIGHTS)
    if text and text ~= content then
      content, moving = text, {}
      local count = 0
      for route, parts in text:gmatch('"shift%.([^".]+)%.lambda%.[^"]+":(%d+)') do
        moving[route], count = tonumber(parts), count + 1
      end
      in_buckets = count <= MOST_IN_BUCKETS
    end
    local hex = read(LOG_KEY)
    if hex and #hex >= 16 and hex ~= hex_key then
      hex_key, key_low, key_high = hex, tonumber(hex:sub(1, 8), 16), tonumber(hex:sub(9, 16), 16)
      pseudonyms, buckets, remembered = {}, {}, 0
    end
  end
  return moving
end

local function pseudonym(text)
  local known = pseudonyms[text]
  if known then return known end
  if remembered >= MOST_REMEMBERED then pseudonyms, buckets, remembered = {}, {}, 0 end
  local low, high = half_sip_hash(text, key_low, key_high)
  known = bit.tohex(low) .. bit.tohex(high)
  pseudonyms[text], remembered = known, remembered + 1
  return known
end

-- Its bucket and its fold (an eighth of the buckets: latencies are counted by fold), as a tag has them.
local function bucket(text)
  local known = buckets[text]
  if not known then
    local number = bucket_of(text)
    known = { tostring(number), tostring(number % 8) }
    buckets[text] = known
  end
  return known[1], known[2]
end

local function cookie(header, name)
  for pair in (header or ""):gmatch("[^;]+") do
    local found, value = pair:match("^%s*([^=%s]+)=(.*)$")
    if found == name and value:find("^[!-~]") then return value end
  end
end

function sticky_key(headers, context)
  local name, key = context:get("cookie"), nil
  if name then key = cookie(headers:get("cookie"), name) else key = headers:get(context:get("header")) end
  if key ~= "" then return key end
end

function envoy_on_request(handle)
  local context, headers, info = handle:filterContext(), handle:headers(), handle:streamInfo()
  local now = weights(handle)[info:routeName()]
  local facts = { weight = now or context:get("weight") or 0, moving = now ~= nil }
  local key = sticky_key(headers, context)
  if facts.weight == 10000 then headers:add("x-fig-whole", "1") end
  if key then
    facts.user = pseudonym(key)
    if now and in_buckets then facts.bucket, facts.fold = bucket(key) end
    headers:add("x-fig-user", key)
  end
  info:dynamicMetadata():set("fig", "request", facts)
end
