-- Runs on two-sided routes only: who the user is (for the log, as a pseudonym; for upstreams, as the sticky key) and which
-- weight is in force. The side itself was drawn before any filter ran. Context: key, weight, kind, name.

local MASK = 0xffffffff
local WEIGHTS, LOG_KEY = "live/rtds/current", "log.key"
local checked_at, content, moving = nil, nil, {}
local key_low, key_high = 0, 0

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

-- The moving weights, by runtime key: read ten times a second at most, because a log line may lag but a request may not
-- wait for a disk.
local function weights(handle)
  local now = math.floor(tonumber(handle:timestamp()) / 100)
  if now ~= checked_at then
    checked_at = now
    local text = read(WEIGHTS)
    if text and text ~= content then
      content, moving = text, {}
      for key, parts in text:gmatch('"(shift%.[^"\\]+)":(%d+)') do moving[key] = tonumber(parts) end
    end
    local hex = read(LOG_KEY)
    if hex and #hex >= 16 then key_low, key_high = tonumber(hex:sub(1, 8), 16), tonumber(hex:sub(9, 16), 16) end
  end
  return moving
end

-- HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein's SipHash on 32-bit words), for LuaJIT's bit operations.
local function pseudonym(text)
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

local function cookie(header, name)
  for pair in (header or ""):gmatch("[^;]+") do
    local found, value = pair:match("^%s*([^=%s]+)=(.*)$")
    if found == name and value ~= "" then return value end
  end
end

function sticky_key(headers, context)
  local key
  if context:get("kind") == "cookie" then
    key = cookie(headers:get("cookie"), context:get("name"))
  else
    key = headers:get(context:get("name"))
  end
  if key ~= "" then return key end
end

function envoy_on_request(handle)
  local context = handle:filterContext()
  local now = weights(handle)[context:get("key")]
  local facts = { weight = now or context:get("weight"), moving = now ~= nil }
  local key = sticky_key(handle:headers(), context)
  if key then facts.key, facts.user = key, pseudonym(key) end
  facts.secure = handle:headers():get("x-forwarded-proto") == "https"
  handle:streamInfo():dynamicMetadata():set("fig", "request", facts)
end
