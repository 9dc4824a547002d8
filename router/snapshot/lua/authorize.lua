-- Runs on routes with `authorize`, after the filter that proved who the user is: asks for scopes and roles, and signs the
-- claims. `IDENTITY` stands before it, the context is the route's: `scopes` and `roles`, words with spaces between them.
-- An error in a script lets a request pass, so nothing here is the last word: the guard behind it refuses what was not
-- marked as allowed.

local TOKEN, SESSION, MARK = "envoy.filters.http.jwt_authn", "envoy.filters.http.ext_authz", "fig.identity"
local BEARER = "^Bearer [%w_-]+%.[%w_-]+%.[%w_-]+$"

local function refused(status, challenge)
  local headers = { [":status"] = status, ["content-type"] = "text/plain; charset=utf-8", ["cache-control"] = "no-store" }
  headers["www-authenticate"] = challenge
  return { headers = headers, text = TEXT[status] }
end

-- What a verified token says. Another reader of the headers must find the very token that was verified, and no second.
local function of_token(headers, metadata)
  local alone = headers:getNumValues("authorization") == 1 and headers:get("authorization"):find(BEARER)
  local found = (metadata:get(TOKEN) or {})[IDENTITY.name]
  if alone and type(found) == "table" then return found end
  return nil, refused("401", 'Bearer error="invalid_token"')
end

-- What the application said of the session: each claim in a header, with a percent sign before what a header cannot hold.
local function of_session(_, metadata)
  local found, said = {}, metadata:get(SESSION) or {}
  for _, claim in ipairs(IDENTITY.claims) do
    local value = said["x-fig-claim-" .. claim]
    if type(value) == "string" then
      found[claim] = value:gsub("%%(%x%x)", function(two) return string.char(tonumber(two, 16)) end)
    end
  end
  if next(found) then return found end
  return nil, refused("503")
end

-- A claim by its name, else by its path through objects, as in `realm_access.roles`.
local function claim(values, name)
  if values[name] ~= nil then return values[name] end
  for part in name:gmatch("[^.]+") do
    if type(values) ~= "table" then return nil end
    values = values[part]
  end
  return values
end

-- The words of a claim, as a set: of a list its texts; of a text what stands between separators, or all of it.
local function words(value, separators)
  local found = {}
  if type(value) == "string" and separators then
    for word in value:gmatch("[^" .. separators .. "]+") do found[word] = true end
  elseif type(value) == "string" then
    found[value] = true
  elseif type(value) == "table" then
    for _, one in ipairs(value) do
      if type(one) == "string" then found[one] = true end
    end
  end
  return found
end

local function may(values, asked)
  local scopes = words(claim(values, IDENTITY.scopes), IDENTITY.of_scopes)
  for scope in (asked:get("scopes") or ""):gmatch("%S+") do
    if not scopes[scope] then return false end
  end
  local roles, wanted = words(claim(values, IDENTITY.roles), IDENTITY.of_roles), asked:get("roles")
  if not wanted then return true end
  for role in wanted:gmatch("%S+") do
    if roles[role] then return true end
  end
  return false
end

local function insufficient(asked)
  if IDENTITY.headers then return nil end
  local scopes = asked:get("scopes")
  return 'Bearer error="insufficient_scope"' .. (scopes and (', scope="' .. scopes .. '"') or "")
end

-- What a client names like a claim goes no further, in no spelling: applications behind CGI or WSGI take `_` for `-`.
local function forget_claims(headers)
  local names = {}
  for name in pairs(headers) do
    if IDENTITY.headers[name] or IDENTITY.headers[(name:gsub("_", "-"))] then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do headers:remove(name) end
end

local function refusal(handle)
  local headers, asked, metadata = handle:headers(), handle:filterContext(), handle:streamInfo():dynamicMetadata()
  if IDENTITY.headers then forget_claims(headers) end
  if is_preflight(headers) then
    metadata:set(MARK, "allowed", true)
    return nil
  end
  local values, unknown = (IDENTITY.headers and of_session or of_token)(headers, metadata)
  if not values then return unknown end
  if not may(values, asked) then return refused("403", insufficient(asked)) end
  if IDENTITY.key then
    local signed = claims.signed(handle, values, IDENTITY)
    if not signed then return refused("503") end
    headers:replace("x-fig-claims", signed)
  end
  metadata:set(MARK, "allowed", true)
end

function envoy_on_request(handle)
  local worked, found = pcall(refusal, handle)
  if not worked then
    handle:logErr("authorize: " .. tostring(found))
    found = refused("503")
  end
  if found then handle:respond(found.headers, found.text) end
end
