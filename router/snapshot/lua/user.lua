-- Runs on two-sided routes only: who the user is (for the log, as a pseudonym; for upstreams, as the sticky key) and which
-- weight is in force. The side itself was drawn before any filter ran. Context: the route's settled `weight` (left out
-- when 0), and the `cookie` or `header` that holds the key. This runs for each request: what can be remembered is.

local MASK = 0xffffffff
local WEIGHTS, LOG_KEY = "live/rtds/current", "log.key"
local MOST_REMEMBERED = 20000
local checked_at, content, moving = nil, nil, {}
local hex_key, key_low, key_high = nil, 0, 0
local pseudonyms, remembered = {}, 0

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
      for route, parts in text:gmatch('"shift%.([^".]+)%.lambda%.[^"]+":(%d+)') do moving[route] = tonumber(parts) end
    end
    local hex = read(LOG_KEY)
    if hex and #hex >= 16 and hex ~= hex_key then
      hex_key, key_low, key_high = hex, tonumber(hex:sub(1, 8), 16), tonumber(hex:sub(9, 16), 16)
      pseudonyms, remembered = {}, 0
    end
  end
  return moving
end

-- HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein's SipHash on 32-bit words), for LuaJIT's bit operations.
local function half_sip_hash(text)
  local bxor, rol, band, bor, lshift, tobit = bit.bxor, bit.rol, bit.band, bit.bor, bit.lshift, bit.tobit
  local v0, v1 = tobit(key_low), bxor(key_high, 0xee)
  local v2, v3 = bxor(0x6c796765, key_low), bxor(0x74656462, key_high)
  local function round()
    v0 = tobit(v0 + v1); v1 = bxor(rol(v1, 5), v0); v0 = rol(v0, 16)
    v2 = tobit(v2 + v3); v3 = bxor(rol(v3, 8), v2)
    v0 = tobit(v0 + v3); v3 = bxor(rol(v3, 7), v0)
    v2 = tobit(v2 + v1); v1 = bxor(rol(v1, 13), v2); v2 = rol(v2, 16)
  end
  local function absorb(word) v3 = bxor(v3, word); round(); round(); v0 = bxor(v0, word) end
  local length = #text
  local whole = length - length % 4
  for at = 1, whole, 4 do
    local a, b, c, d = text:byte(at, at + 3)
    absorb(bor(a, lshift(b, 8), lshift(c, 16), lshift(d, 24)))
  end
  local last = lshift(band(length, 0xff), 24)
  for at = whole + 1, length do last = bor(last, lshift(text:byte(at), 8 * (at - whole - 1))) end
  absorb(last)
  v2 = bxor(v2, 0xee); round(); round(); round(); round()
  local low = bxor(v1, v3)
  v1 = bxor(v1, 0xdd); round(); round(); round(); round()
  return bit.tohex(low) .. bit.tohex(bxor(v1, v3))
end

local function pseudonym(text)
  local known = pseudonyms[text]
  if known then return known end
  if remembered >= MOST_REMEMBERED then pseudonyms, remembered = {}, 0 end
  known = half_sip_hash(text)
  pseudonyms[text], remembered = known, remembered + 1
  return known
end

local function cookie(header, name)
  for pair in (header or ""):gmatch("[^;]+") do
    local found, value = pair:match("^%s*([^=%s]+)=(.*)$")
    if found == name and value ~= "" then return value end
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
    headers:add("x-fig-user", key)
  end
  info:dynamicMetadata():set("fig", "request", facts)
end
