-- What a client that is refused is told, by status: nothing about why, which is in the log.

local TEXT = {
  ["401"] = "Sign in to use this.\n", ["403"] = "You are not allowed to use this.\n",
  ["503"] = "The service could not answer.\n",
}
