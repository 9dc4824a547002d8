-- The plain HTTP upstream's stage: what Envoy itself answered in its place says whether the request was sent at all.

function envoy_on_response(handle)
  local headers = handle:headers()
  local outcome, reason = (headers:get("x-fig-outcome") or ""):match("^(%S+) (%S+)$")
  if not outcome then return end
  local metadata = handle:streamInfo():dynamicMetadata()
  metadata:set("fig", "outcome", outcome)
  metadata:set("fig", "reason", reason)
end
