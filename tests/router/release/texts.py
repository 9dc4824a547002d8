"""Release files, and the estate that they are written for."""

from router.estate import Estate
from router.release.load import LoadedRelease, load_release
from router.release.values import Release
from router.source.load import load_estate

ESTATE_TEXT = """\
version: 1
entry: {address: 127.0.0.1:8080, default: shop}
legacy:
  shop: {endpoints: [127.0.0.1:8081]}
lambda:
  books: {arn: "arn:aws:lambda:eu-west-1:123456789012:function:books:live", timeout: 3s}
  frozen: {arn: "arn:aws:lambda:eu-west-1:123456789012:function:books:42", timeout: 3s}
  latest: {arn: "arn:aws:lambda:eu-west-1:123456789012:function:books:$$LATEST", timeout: 3s}
  plain: {http: {endpoints: [10.0.0.1:80]}, timeout: 3s}
routes:
  books: {match: {path: {prefix: /books}}, legacy: shop, lambda: books, sticky: {header: X-User}, shadow: true,
          cohort: {header: X-Pilot, values: [bob, alice]}}
  search: {match: {path: {prefix: /search}}, legacy: shop, lambda: frozen, sticky: {header: X-User}, salt: shop}
  cart: {match: {path: {prefix: /cart}}, legacy: shop, lambda: latest, sticky: {header: X-User}, salt: shop}
  reviews: {match: {path: {prefix: /reviews}}, legacy: shop, lambda: books, sticky: {header: X-User}}
  legacy-only: {match: {path: {prefix: /old}}, legacy: shop}
  upstream: {match: {path: {prefix: /up}}, legacy: shop, lambda: plain}
"""

WHOLE = """\
version: 1
release: 2026.11.2
ticket: CHG-4711
gate:
  limits:
    server_errors: {above_legacy: 0.5%, tolerated: 0.1%}
    latency_p99: {times_legacy: 1.5, at_most: 2s}
    redirects: {above_legacy: 1%, either_way: true}
  without: [response_size]
  minimum_requests: 200
on_breach: step back
windows:
  time_zone: Europe/Zurich
  open:
    - {days: mon-thu, from: 08:30, until: 16:00}
    - {days: [fri, 2026-12-05], from: 08:30, until: 24:00}
  freezes:
    - {from: 2026-12-18 18:00, until: 2027-01-04, reason: year end}
routes:
  books:
    steps:
      - shadow: 10% for 30m
      - cohort: {header: X-Pilot, values: [alice, bob], for: 1h}
      - ready: {warm_calls: 20}
      - lambda: 1% for 2h
      - pause: approval
      - glide: 10m
      - lambda: 25% for 4h
        shadow: 5%
      - lambda: 100% for 7d
        holdback: 2%
groups:
  checkout:
    routes: [search, cart]
    on_breach: freeze
    gate: {dry_run: true}
    steps:
      - lambda: 5%
      - lambda: 50% for 1d
"""


def estate() -> Estate:
    """The estate."""
    return load_estate(ESTATE_TEXT, file="estate.yaml", environment={}).estate_or_refused()


def load(text: str, *, with_estate: bool = True) -> LoadedRelease:
    """What a release file's text holds."""
    return load_release(text, file="r.yaml", estate=estate() if with_estate else None)


def release(text: str) -> Release:
    """The release that a sound text describes."""
    return load(text).release_or_refused()


def books(*steps: str, head: str = "") -> str:
    """A release of one route with these steps; `head` stands above its routes."""
    lines = "".join(f"      - {step}\n" for step in steps)
    return f"version: 1\nrelease: r1\nticket: T-1\n{head}routes:\n  books:\n    steps:\n{lines}"
