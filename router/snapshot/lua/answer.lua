-- Appended to hash.lua. Stands before aws_lambda and sees the decoded answer: decides whether legacy may answer instead, and what the client
-- gets when it may not. `x-fig-replay` is the one mark that the outer hop's retry policy looks for.

-- What is counted by bucket of users: the outer hop does not see it where legacy answered after all.
local COUNTED = { throttled = true, overflow = true, timeout = true }
local SAFE = { GET = true, HEAD = true, OPTIONS = true }
local STATUS = { timeout = "504", too_large = "413", unsupported_body = "415", odd_path = "400", preflight = "403", throttled = "503", overflow = "503", unreachable = "503" }

local function restore_path(headers)
  local original = headers:get("x-fig-path")
  if not original then return end
  headers:remove("x-fig-path")
  local cut, put = headers:get("x-fig-cut"), headers:get("x-fig-put")
  if not cut then
    headers:replace(":path", original)
    return
  end
  headers:remove("x-fig-cut")
  headers:remove("x-fig-put")
  local path, query = original:match("^([^?]*)(.*)$")
  path = put:gsub("/+$", "") .. path:sub(tonumber(cut) + 1)
  if path:sub(1, 1) ~= "/" then path = "/" .. path end
  headers:replace(":path", path .. query)
end

function envoy_on_request(handle)
  local headers = handle:headers()
  restore_path(headers)
  local asked = { method = headers:get(":method"), route = headers:get("x-fig-route") }
  if headers:get("x-fig-shadow") then asked.role = "shadow" else asked.user = headers:get("x-fig-user") end
  handle:streamInfo():dynamicMetadata():set("fig", "asked", asked)
end

local function strip(headers)
  local names = {}
  for name in pairs(headers) do
    if name:find("^x%-amzn?%-") or (name:find("^x%-fig%-")) then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do headers:remove(name) end
end

-- An answer to HEAD, a 204 and a 304 have no content; a body that came all the same would break the client's connection.
local function without_content(handle, headers, method)
  local status = headers:get(":status")
  local empty = status == "204" or status == "304"
  if empty then headers:remove("content-type") end -- the decoder adds one to every answer
  if not empty and method ~= "HEAD" then return end
  local length = headers:get("content-length")
  headers:remove("content-length")
  if length == "0" then return end
  handle:body(true):setBytes("")
  handle:headers():remove("content-length") -- fetched anew: waiting for the body ends the life of `headers`
end

-- outcome: "answered" (the function's own), "not_run" (provably did nothing) or "failed"; and why.
local function classify(headers, known)
  if known.outcome then return known.outcome, known.reason end
  if headers:get("x-amz-function-error") then return "failed", "function_error" end
  local status = headers:get(":status")
  if known.decoding and not headers:get("content-type") then return "failed", "invalid_answer" end
  if headers:get("x-fig-fallback") == "safe" then return "not_run", "function_asked" end
  if tonumber(status) >= 500 then return "answered", "own_5xx" end
  return "answered", nil
end

function envoy_on_response(handle)
  local metadata = handle:streamInfo():dynamicMetadata()
  local known = metadata:get("fig") or {}
  local headers = handle:headers()
  local outcome, reason = classify(headers, known)
  local method = (known.asked or {}).method
  local version, cold = headers:get("x-amz-executed-version"), headers:get("x-fig-cold-start") == "1"
  strip(headers)
  if cold and outcome == "answered" then headers:add("x-fig-cold-start", "1") end -- the entry counts it, and takes it away
  local answer = { outcome = outcome, reason = reason or "none", version = version or "none" }
  if reason then answer.failed = true end
  if COUNTED[reason] and known.asked and known.asked.user then answer.bucket = tostring(bucket_of(known.asked.user)) end
  metadata:set("fig", "answer", answer)
  local safe = SAFE[method]
  if outcome == "not_run" or (safe and reason) then headers:add("x-fig-replay", reason) end
  if outcome == "answered" or reason == "function_asked" then
    without_content(handle, headers, method)
    return
  end
  -- The client must not see an error document of the Invoke API or a stack trace of the function.
  headers:replace(":status", STATUS[reason] or "502")
  headers:remove("retry-after")
  if reason == "overflow" then headers:add("retry-after", "1") end -- the router's own limit, which has room in a moment
  headers:replace("content-type", "text/plain; charset=utf-8")
  if method == "HEAD" then return without_content(handle, headers, "HEAD") end
  local text = "The service could not answer (" .. reason .. ").\n"
  local length = handle:body(true):setBytes(text)
  handle:headers():replace("content-length", tostring(length)) -- fetched anew, as above
end
