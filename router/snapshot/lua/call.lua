-- Stands after aws_lambda and sees the call itself: sends the Invoke API what it needs and nothing of the client's, and
-- says whether an error of the API proves that the function did not run.

local NEEDED = {
  [":method"] = true, [":path"] = true, [":authority"] = true, [":scheme"] = true, host = true, authorization = true,
  ["content-type"] = true, ["content-length"] = true, ["transfer-encoding"] = true,
}
-- Source: Lambda API reference, Invoke, "Errors" (read November 2026). Each of them is raised before the handler is called.
local NOT_RUN = {
  TooManyRequestsException = "throttled", RequestTooLargeException = "too_large",
  RequestEntityTooLargeException = "too_large", -- what the service sends, whatever its model says
  ResourceNotFoundException = "not_found", ResourceConflictException = "conflict", ResourceNotReadyException = "not_ready",
  AccessDeniedException = "denied", ExpiredTokenException = "denied", UnrecognizedClientException = "denied",
  InvalidSignatureException = "denied", SignatureDoesNotMatch = "denied", IncompleteSignatureException = "denied",
  MissingAuthenticationTokenException = "denied", MissingAuthenticationToken = "denied", InvalidClientTokenId = "denied",
  OptInRequired = "denied", NotAuthorized = "denied", RequestExpired = "denied",
  EC2AccessDeniedException = "network", EC2ThrottledException = "network", EC2UnexpectedException = "network",
  ENILimitReachedException = "network", SubnetIPAddressLimitReachedException = "network",
  InvalidSecurityGroupIDException = "network", InvalidSubnetIDException = "network", ENINotReadyException = "network",
  EFSIOException = "storage", EFSMountConnectivityException = "storage", EFSMountFailureException = "storage",
  EFSMountTimeoutException = "storage", KMSAccessDeniedException = "key", KMSDisabledException = "key",
  KMSInvalidStateException = "key", KMSNotFoundException = "key", InvalidRuntimeException = "runtime",
  InvalidZipFileException = "runtime", InvalidRequestContentException = "request",
  InvalidParameterValueException = "request", UnsupportedMediaTypeException = "request",
  RecursiveInvocationException = "recursive", SnapStartException = "snapstart", SnapStartNotReadyException = "snapstart",
  SnapStartTimeoutException = "snapstart",
}

-- Without credentials Envoy does not sign, or signs with the name that stands for none (node/credentials_renewal.py): the
-- API would refuse the call, so it is spared the way. What is no call (a body that does not fit) is never signed.
local function lacks_credentials(headers)
  if headers:get(":path"):sub(1, 22) ~= "/2015-03-31/functions/" then return false end
  local authorization = headers:get("authorization")
  return not authorization or authorization:find("Credential=fig-no-credentials/", 1, true) ~= nil
end

function envoy_on_request(handle)
  local headers = handle:headers()
  if lacks_credentials(headers) then
    handle:respond({[":status"] = "403", ["x-fig-outcome"] = "not_run no_credentials"}, "")
    return
  end
  local names = {}
  for name in pairs(headers) do
    if not NEEDED[name] and not name:find("^x%-amz%-") then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do headers:remove(name) end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local metadata = handle:streamInfo():dynamicMetadata()
  local local_reply = headers:get("x-fig-outcome")
  if local_reply then
    local outcome, reason = local_reply:match("^(%S+) (%S+)$")
    metadata:set("fig", "outcome", outcome)
    metadata:set("fig", "reason", reason)
  elseif headers:get(":status") ~= "200" then
    local kind = (headers:get("x-amzn-errortype") or ""):match("^[^:]*")
    metadata:set("fig", "outcome", NOT_RUN[kind] and "not_run" or "failed")
    metadata:set("fig", "reason", NOT_RUN[kind] or "api_error")
  elseif not headers:get("x-amz-function-error") then
    -- aws_lambda turns an answer that is no JSON object into a bare 500. It names a content type whenever it can decode
    -- the answer; so without the API's own, a 500 that has none was not the function's.
    metadata:set("fig", "decoding", true)
    headers:remove("content-type")
  end
end
