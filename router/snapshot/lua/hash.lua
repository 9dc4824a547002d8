-- HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein's SipHash on 32-bit words), for LuaJIT's bit operations.

local function half_sip_hash(text, key_low, key_high)
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
  return low, bxor(v1, v3)
end

-- Which of 64 buckets of users this one is in. Another hash than the one that draws sides, so that each side has users
-- of every bucket; the same on every host, so that a user is in one bucket of the fleet.
local function bucket_of(user) return bit.band(half_sip_hash(user, 0x6669672d, 0x6275636b), 63) end
