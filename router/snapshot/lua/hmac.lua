-- HMAC-SHA-256 (FIPS 180-4, RFC 2104) on 32-bit words, for LuaJIT's bit operations: Envoy's own Lua API signs nothing.
-- A key is prepared once, as the two states after its padded forms, so that a text costs its own blocks and two more.

local hmac = {}

do
  local band, bor, bxor, bnot, tobit = bit.band, bit.bor, bit.bxor, bit.bnot, bit.tobit
  local ror, rshift, lshift, char = bit.ror, bit.rshift, bit.lshift, string.char
  local BLOCK = 64
  local K = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
  }
  local START = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  }
  local W = {}
  for i = 1, BLOCK do K[i], W[i] = tobit(K[i]), 0 end

  local function schedule(text, at)
    for i = 1, 16 do
      local a, b, c, d = text:byte(at + 4 * i - 4, at + 4 * i - 1)
      W[i] = bor(lshift(a, 24), lshift(b, 16), lshift(c, 8), d)
    end
    for i = 17, BLOCK do
      local x, y = W[i - 15], W[i - 2]
      local s = bxor(ror(x, 7), ror(x, 18), rshift(x, 3))
      W[i] = tobit(W[i - 16] + s + W[i - 7] + bxor(ror(y, 17), ror(y, 19), rshift(y, 10)))
    end
  end

  -- The state after the whole blocks of `text`; the given state is changed.
  local function absorb(state, text)
    for at = 1, #text, BLOCK do
      schedule(text, at)
      local a, b, c, d, e, f, g, h = state[1], state[2], state[3], state[4], state[5], state[6], state[7], state[8]
      for i = 1, BLOCK do
        local s = bxor(ror(e, 6), ror(e, 11), ror(e, 25))
        local t = tobit(h + s + bxor(band(e, f), band(bnot(e), g)) + K[i] + W[i])
        local u = bxor(ror(a, 2), ror(a, 13), ror(a, 22)) + bxor(band(a, b), band(a, c), band(b, c))
        h, g, f, e, d, c, b, a = g, f, e, tobit(d + t), c, b, a, tobit(t + u)
      end
      state[1], state[2], state[3], state[4] =
        tobit(state[1] + a), tobit(state[2] + b), tobit(state[3] + c), tobit(state[4] + d)
      state[5], state[6], state[7], state[8] =
        tobit(state[5] + e), tobit(state[6] + f), tobit(state[7] + g), tobit(state[8] + h)
    end
    return state
  end

  local function copy(state)
    return { state[1], state[2], state[3], state[4], state[5], state[6], state[7], state[8] }
  end

  local function bytes(word)
    return char(band(rshift(word, 24), 255), band(rshift(word, 16), 255), band(rshift(word, 8), 255), band(word, 255))
  end

  -- The digest of `before` bytes that `state` has taken in, and of `text` behind them; shorter than 256 MiB.
  local function digest(state, text, before)
    local padding = "\128" .. ("\0"):rep((119 - #text % BLOCK) % BLOCK + 4)
    state = absorb(copy(state), text .. padding .. bytes(tobit((before + #text) * 8)))
    local words = {}
    for i = 1, 8 do words[i] = bytes(state[i]) end
    return table.concat(words)
  end

  local function padded(key, pad)
    return (key:gsub(".", function(one) return char(bxor(one:byte(), pad)) end))
  end

  -- The key, ready to sign with.
  function hmac.key(text)
    if #text > BLOCK then text = digest(START, text, 0) end
    text = text .. ("\0"):rep(BLOCK - #text)
    return { inner = absorb(copy(START), padded(text, 0x36)), outer = absorb(copy(START), padded(text, 0x5c)) }
  end

  -- The 32 bytes that sign `text`.
  function hmac.sign(key, text)
    return digest(key.outer, digest(key.inner, text, BLOCK), BLOCK)
  end
end
