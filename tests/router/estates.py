"""Estates and routes that several tests start from."""

from typing import Any

from router.estate import Estate, Match, PathKind, PathMatch, Route, Sticky, StickyKind, WithoutKey
from router.source.load import load_estate

BOOKSHOP = """\
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT:-8080}
  default: bookshop
  max_body: 50MB
  max_headers: 64KiB
  expose_side: true
legacy:
  bookshop:
    endpoints:
      - 127.0.0.1:${LEGACY_PORT:-8081}
      - "[2001:db8::1]:8081"
    health:
      path: /health?deep=1
      interval: 5s
      timeout: 500ms
    connect_timeout: 1500ms
  archive:
    endpoints:
      - archive.internal:443
    tls:
      ca: /etc/ssl/internal.pem
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT:-9002}
    timeout: 5s
    max_concurrency: 100
  remote:
    arn: arn:aws-cn:lambda:cn-north-1:123456789012:function:remote:7
  orders:
    http:
      endpoints:
        - 10.0.0.1:443
      tls:
        name: orders.internal
      health:
        path: /ping
      host: orders.internal
    timeout: 10s
    max_concurrency: 50
routes:
  books-read:
    match:
      path: {prefix: /books}
      methods: [GET, HEAD]
    legacy: bookshop
    lambda: books
    sticky: {header: X-User, without_key: legacy}
  orders:
    match:
      hosts: [shop.example, "*.shop.example"]
      path: {exact: /orders}
      headers: {X-Api: v2}
    legacy: bookshop
    lambda: orders
    timeout: 20s
    sticky: {header: X-User, without_key: assign}
    salt: shop
    rewrite: {legacy: /old/orders, lambda: /}
  by-cookie:
    match:
      path: {prefix: /cookie}
    legacy: bookshop
    lambda: remote
  by-address:
    match:
      path: {prefix: /address}
    legacy: bookshop
    lambda: books
    fallback: false
    sticky: {client_address: true}
  new-only:
    match:
      path: {regex: '/new/[0-9]+$'}
    lambda: books
  events:
    match:
      path: {prefix: /events}
    legacy: archive
    stream: true
  chat:
    match:
      path: {prefix: /chat}
    legacy: bookshop
    upgrade: websocket
"""


def bookshop() -> Estate:
    """Load the estate of `BOOKSHOP`."""
    return load_estate(BOOKSHOP, file="estate.yaml", environment={}).estate_or_refused()


def route(name: str, kind: PathKind, path: str, **others: Any) -> Route:
    """Make a two-sided route; `hosts`, `methods` and `headers` go into its match."""
    conditions = {key: tuple(others.pop(key)) for key in ("hosts", "methods", "headers") if key in others}
    given: dict[str, Any] = {
        "legacy": "old",
        "candidate": "new",
        "sticky": Sticky(kind=StickyKind.HEADER, name="x-user", without_key=WithoutKey.LEGACY),
        "salt": name,
        "timeout_seconds": 15.0,
    }
    return Route(name=name, match=Match(path=PathMatch(kind, path), **conditions), **(given | others))
