-- What both scripts of identities know: who is not asked, and what a client that is refused is told, by status.

-- A CORS preflight carries no proof, whoever sends it. The same test as jwt_authn's own, and as the match tree's.
local function is_preflight(headers)
  if headers:get(":method") ~= "OPTIONS" then return false end
  return (headers:get("origin") or "") ~= "" and (headers:get("access-control-request-method") or "") ~= ""
end

local TEXT = {
  ["401"] = "Sign in to use this.\n", ["403"] = "You are not allowed to use this.\n",
  ["503"] = "The service could not answer.\n",
}
