-- Appended to hash.lua and user.lua, on the entries that draw a side for a user without a cookie: the request's id was the key of the
-- draw, so the cookie that carries it keeps that side. Never on an answer that a shared cache may keep.

local function may_be_shared(headers)
  local control = (headers:get("cache-control") or ""):lower()
  if control:find("private", 1, true) or control:find("no-store", 1, true) then return false end
  return control ~= "" or headers:get("expires") ~= nil or headers:get("last-modified") ~= nil or headers:get("etag") ~= nil
end

function sticky_key(headers) return headers:get("x-request-id") end

local note_user = envoy_on_request

function envoy_on_request(handle)
  note_user(handle)
  local headers = handle:headers()
  local given = { key = headers:get("x-request-id"), secure = headers:get("x-forwarded-proto") == "https" }
  handle:streamInfo():dynamicMetadata():set("fig", "given", given)
end

function envoy_on_response(handle)
  local known = handle:streamInfo():dynamicMetadata():get("fig")
  local headers = handle:headers()
  if not known or not known.given or not known.given.key or may_be_shared(headers) then return end
  local value = handle:filterContext():get("cookie") .. "=" .. known.given.key
  value = value .. "; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax"
  if known.given.secure then value = value .. "; Secure" end
  headers:add("set-cookie", value)
end
