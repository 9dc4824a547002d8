"""The estate whose routes are measured at 50 %, and users of both sides: legacy's cost the same work on every proxy."""

import xxhash

from benchmarks.measuring import Request

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
legacy:
  shop:
    endpoints:
      - 127.0.0.1:${LEGACY_PORT}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT}
    timeout: 5s
routes:
  by-header:
    match: {path: {prefix: /h}}
    legacy: shop
    lambda: books
    timeout: 10s
    sticky: {header: X-User}
  by-cookie:
    match: {path: {prefix: /c}}
    legacy: shop
    lambda: books
    timeout: 10s
    sticky: {cookie: sid}
"""
SPLIT = {"by-header": 5000, "by-cookie": 5000}
_USERS = 500
_BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "application/json, text/plain, */*",
    "Accept-Language": "en-GB,en;q=0.9",
    "Accept-Encoding": "gzip, deflate",
    "X-Forwarded-For": "192.0.2.7",
}


def by_header(side: str, *, method: str = "GET") -> list[Request]:
    """Requests of users whose side at 50 % is this one, known by a header."""
    body = '{"quantity":1}' if method == "POST" else ""
    extra = {"Content-Type": "application/json", "Content-Length": str(len(body))} if body else {}
    return [
        Request(method=method, path="/h/books/7?page=2", headers={**_BROWSER, "X-User": user, **extra}, body=body)
        for user in _users("by-header", side)
    ]


def by_cookie(side: str) -> list[Request]:
    """Requests of users whose side at 50 % is this one, known by a cookie among others."""
    return [
        Request(path="/c/books/7?page=2", headers={**_BROWSER, "Cookie": f"theme=dark; sid={user}; lang=en"})
        for user in _users("by-cookie", side)
    ]


def new_users() -> list[Request]:
    """Requests without a cookie, whose ids draw legacy: each answer issues a cookie."""
    return [
        Request(path="/c/books/7?page=2", headers={**_BROWSER, "X-Request-Id": id_})
        for id_ in _users("by-cookie", "legacy")
    ]


def _users(route: str, side: str) -> list[str]:
    # As Envoy draws: the salt is the route's name, the share of Lambda 50 %.
    names = (f"0b814a4e-44ef-4638-b0d5-{number:012x}" for number in range(10**9))
    found: list[str] = []
    while len(found) < _USERS:
        name = next(names)
        is_lambda = xxhash.xxh64_intdigest(f"{route}:{name}".encode()) % 10_000 < SPLIT[route]
        if is_lambda == (side == "lambda"):
            found.append(name)
    return found
