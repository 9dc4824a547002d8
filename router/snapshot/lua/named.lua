-- Appended to hash.lua and user.lua, on the entries of named users: they were sent to Lambda by name, not by a draw, so what
-- they see says nothing about everybody else and is not counted.

local note_user = envoy_on_request

function envoy_on_request(handle)
  note_user(handle)
  local metadata = handle:streamInfo():dynamicMetadata()
  local facts = metadata:get("fig").request
  facts.moving, facts.bucket, facts.fold = false, nil, nil
  metadata:set("fig", "request", facts)
end
