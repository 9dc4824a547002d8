-- Claims as JSON, and as a compact JWS (RFC 7515) under the key that the node keeps in a file. A key file holds the key's
-- bytes in hexadecimal digits; a renewed one is used within a second.

local claims = {}

do
  local KEY_MILLISECONDS = 1000
  local EXACT = 2 ^ 53
  local HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" -- {"alg":"HS256","typ":"JWT"}
  local OURS = { iss = true, iat = true, exp = true, nbf = true }
  local URL_SAFE = { ["+"] = "-", ["/"] = "_", ["="] = "" }
  local CONTINUED = "[\128-\191]"
  local VALID = { -- UTF-8 beyond ASCII; source: RFC 3629, section 4
    "[\194-\223]" .. CONTINUED, "\224[\160-\191]" .. CONTINUED, "[\225-\236\238\239]" .. CONTINUED:rep(2),
    "\237[\128-\159]" .. CONTINUED, "\240[\144-\191]" .. CONTINUED:rep(2), "[\241-\243]" .. CONTINUED:rep(3),
    "\244[\128-\143]" .. CONTINUED:rep(2),
  }
  local encode
  local key, key_text, checked_at

  local function is_utf8(text)
    for _, pattern in ipairs(VALID) do text = text:gsub(pattern, "") end
    return not text:find("[\128-\255]")
  end

  -- Headers of old applications may hold ISO 8859-1, which JSON cannot.
  local function utf8(text)
    if not text:find("[\128-\255]") or is_utf8(text) then return text end
    return (text:gsub("[\128-\255]", function(one)
      local code = one:byte()
      return string.char(code < 192 and 194 or 195, code < 192 and code or code - 64)
    end))
  end

  local function quoted(text)
    return '"' .. utf8(text):gsub('[%c"\\]', function(one) return ("\\u%04x"):format(one:byte()) end) .. '"'
  end

  local function list(values)
    local parts = {}
    for i = 1, table.maxn(values) do parts[i] = encode(values[i]) end
    return "[" .. table.concat(parts, ",") .. "]"
  end

  -- Metadata does not tell an empty object from an empty list, nor a null from nothing.
  function encode(value)
    local kind = type(value)
    if kind == "string" then return quoted(value) end
    if kind == "boolean" then return tostring(value) end
    if kind == "number" then
      local whole = value == math.floor(value) and math.abs(value) < EXACT
      return (whole and "%.0f" or "%.17g"):format(value)
    end
    if kind ~= "table" then return "null" end
    if next(value) == nil or type(next(value)) == "number" then return list(value) end
    local parts = {}
    for name, one in pairs(value) do parts[#parts + 1] = quoted(name) .. ":" .. encode(one) end
    return "{" .. table.concat(parts, ",") .. "}"
  end

  local function payload(values, issuer, now, lifetime)
    local parts = { ('"iss":%s,"iat":%.0f,"exp":%.0f'):format(quoted(issuer), now, now + lifetime) }
    for name, value in pairs(values) do
      if not OURS[name] then parts[#parts + 1] = quoted(name) .. ":" .. encode(value) end
    end
    return "{" .. table.concat(parts, ",") .. "}"
  end

  local function read(path)
    local file = io.open(path, "rb")
    local text = file and file:read("*a") or ""
    if file then file:close() end
    return text:match("^%x+$") and #text % 2 == 0 and text or nil
  end

  local function present_key(path, now)
    if not checked_at or now - checked_at >= KEY_MILLISECONDS or now < checked_at then
      checked_at = now
      local text = read(path)
      if text ~= key_text then
        local bytes = text and text:gsub("%x%x", function(two) return string.char(tonumber(two, 16)) end)
        key_text, key = text, bytes and hmac.key(bytes)
      end
    end
    return key
  end

  local function base64url(handle, text) return (handle:base64Escape(text):gsub("[+/=]", URL_SAFE)) end

  -- The signed claims, or nil when there is no key. What the router vouches for are `iss`, `iat` and `exp`; those of a
  -- token, which it checked by itself, are left out.
  function claims.signed(handle, values, identity)
    local now = tonumber(handle:timestamp())
    local with = present_key(identity.key, now)
    if not with then return nil end
    local text = payload(values, identity.issuer, math.floor(now / 1000), identity.lifetime)
    text = HEADER .. "." .. base64url(handle, text)
    return text .. "." .. base64url(handle, hmac.sign(with, text))
  end
end
