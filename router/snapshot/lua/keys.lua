-- Answers Envoy's own question for a token issuer's keys (a JWKS): from a `file`, or with what the issuer's host answered.
-- The last good answer is `kept` in a file, and is what Envoy gets while the source says nothing useful: an Envoy that
-- starts, or takes another listener, has no keys in memory. Without any the answer is 404, which is not asked again.

local last = {} -- by the file that it is kept in

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

-- Envoy reads keys in full; this only tells them from a form, an error or half a file, which must not replace good ones.
local function has_keys(text)
  return text and text:find("^%s*{") and text:find("}%s*$") and text:find('"keys"%s*:%s*%[') and text:find('"kty"')
end

local function keep(path, text)
  local fresh = path .. "." .. tostring({}):match("%x+$") -- workers and two Envoys may write at once
  local file = io.open(fresh, "wb")
  if not file then return end
  local written = file:write(text)
  if file:close() and written then os.rename(fresh, path) else os.remove(fresh) end
end

local function noted(text, path, always)
  if not has_keys(text) then return nil end
  if always or text ~= last[path] then
    keep(path, text)
    last[path] = text
  end
  return text
end

function envoy_on_request(handle)
  local context = handle:filterContext()
  local path = context:get("file")
  if not path then return end
  local text = noted(read(path), context:get("kept")) or read(context:get("kept"))
  handle:respond({ [":status"] = text and "200" or "404" }, text or "")
end

function envoy_on_response(handle)
  local context = handle:filterContext()
  if context:get("file") then return end
  local path, answered = context:get("kept"), handle:headers():get(":status") == "200"
  -- Waiting for the body ends the life of every object that was fetched before.
  local body = handle:body(true)
  local text = answered and body:length() > 0 and body:getBytes(0, body:length()) or nil
  -- Each good answer is written, so that the file's time says when there was one.
  text = noted(text, path, true) or read(path)
  local headers, length = handle:headers(), handle:body(true):setBytes(text or "")
  headers:replace(":status", text and "200" or "404")
  headers:remove("content-encoding")
  headers:replace("content-length", tostring(length))
end
