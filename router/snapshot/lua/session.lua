-- Asks a legacy application whose session a request belongs to. On the way there it leaves nothing of the request but the
-- session's cookie and what the router itself says of the client; on the way back nothing of the answer but the claims, or
-- a refusal. Context: `path`, `cookie`, `identity`; `claims` (claim by header) and which of them are `lists`; where the
-- application's hosts keep sessions in memory, `affinity` and its `name`: what leads to the host of this user.

local KEPT = {
  [":method"] = true, [":path"] = true, [":authority"] = true, [":scheme"] = true, cookie = true, ["x-request-id"] = true,
  ["x-forwarded-for"] = true, ["x-forwarded-proto"] = true, ["x-fig-hops"] = true, ["x-fig-affinity"] = true,
}

local function pairs_of(header, name)
  local found, value = {}, nil
  for pair in (header or ""):gmatch("[^;]+") do
    local key, one = pair:match("^%s*([^=%s]+)=(.*)$")
    if key == name then found[#found + 1], value = key .. "=" .. one, value or one end
  end
  return table.concat(found, "; "), value
end

local function only(headers, kept)
  local names = {}
  for name in pairs(headers) do
    if not kept[name] then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do headers:remove(name) end
end

local function affinity(headers, context, client)
  local kind, name = context:get("affinity"), context:get("name")
  if kind == "header" then return headers:get(name) or client end
  if kind == "cookie" then return select(2, pairs_of(headers:get("cookie"), name)) or client end
  return kind and client
end

local function challenge(context)
  return ('Cookie realm="%s", cookie-name="%s"'):format(context:get("identity"), context:get("cookie"))
end

function envoy_on_request(handle)
  local headers, context = handle:headers(), handle:filterContext()
  handle:streamInfo():dynamicMetadata():set("fig", "method", headers:get(":method"))
  if is_preflight(headers) then
    handle:streamInfo():dynamicMetadata():set("fig", "preflight", true)
    handle:respond({ [":status"] = "200" }, "")
    return
  end
  local cookie, value = pairs_of(headers:get("cookie"), context:get("cookie"))
  if not value or value == "" then
    handle:respond({ [":status"] = "401" }, "")
    return
  end
  local leads_to, forwarded = affinity(headers, context, headers:get("x-fig-client")), headers:get("x-fig-for")
  if leads_to then headers:replace("x-fig-affinity", leads_to) end
  -- Envoy added its own address, as if it were one more proxy; the application is asked on the client's behalf.
  if forwarded then headers:replace("x-forwarded-for", forwarded) end
  only(headers, KEPT)
  headers:replace("cookie", cookie)
  headers:replace(":method", "GET")
  headers:replace(":path", context:get("path"))
end

local function escaped(text)
  return (text:gsub("[^%w._~@, -]", function(one) return ("%%%02X"):format(one:byte()) end))
end

-- The claims of an answer, or nil when it has none to speak of: a sign-in form is a 200 too, but it names no user.
local function claims_of(headers, context)
  local found, lists, some = {}, context:get("lists"), false
  for header, claim in pairs(context:get("claims")) do
    local count, values = headers:getNumValues(header), {}
    if count > 1 and not lists[claim] then return nil, "503" end
    for i = 0, count - 1 do values[#values + 1] = headers:getAtIndex(header, i) end
    if count > 0 then found[claim] = table.concat(values, " ") end
    some = some or (found[claim] or "") ~= ""
    if claim == "sub" and (found.sub or "") == "" then return nil, "401" end
  end
  if some then return found end
  return nil, "401"
end

local function refused_as(status)
  if status == "403" then return "403" end
  if status == "429" or tonumber(status) >= 500 then return "503" end
  return "401"
end

local function refuse(handle, status)
  local headers, context = handle:headers(), handle:filterContext()
  only(headers, { [":status"] = true })
  headers:replace(":status", status)
  headers:replace("content-type", "text/plain; charset=utf-8")
  headers:replace("cache-control", "no-store")
  if status == "401" then headers:replace("www-authenticate", challenge(context)) end
  -- Envoy's question has the client's method, and an answer to HEAD that has a body breaks its connection.
  local head = handle:streamInfo():dynamicMetadata():get("fig").method == "HEAD"
  local length = handle:body(true):setBytes(head and "" or TEXT[status])
  handle:headers():replace("content-length", tostring(length))
end

function envoy_on_response(handle)
  local headers, context = handle:headers(), handle:filterContext()
  local status = headers:get(":status")
  if status == "200" and handle:streamInfo():dynamicMetadata():get("fig").preflight then return end
  if status ~= "200" then return refuse(handle, refused_as(status)) end
  local found, instead = claims_of(headers, context)
  if not found then return refuse(handle, instead) end
  only(headers, { [":status"] = true })
  for claim, value in pairs(found) do headers:replace("x-fig-claim-" .. claim, escaped(value)) end
  handle:body(true):setBytes("")
end
