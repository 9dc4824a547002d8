"""Other proxies, doing the router's work (a sticky split, a cookie for new users, a JSON log, counters) or none of it.

The nginx that is installed has no counters (it is built without `stub_status`): it does that much less.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measuring import PEERS, free_port, nginx, process

_NGINX = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  upstream first {{ server 127.0.0.1:{backend}; keepalive 128; keepalive_requests 1000000000; }}
  upstream second {{ server 127.0.0.1:{backend}; keepalive 128; keepalive_requests 1000000000; }}
  {http}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ {location} }}
  }}
}}
"""
# A key for everybody: the header, the cookie, or for new users the request's id, which the cookie then carries.
_NGINX_WORK_HTTP = """
  map $cookie_sid $by_cookie { "" $request_id; default $cookie_sid; }
  map $http_x_user $sticky { "" $by_cookie; default $http_x_user; }
  map "$http_x_user$cookie_sid" $issued { "" "sid=$request_id; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax"; }
  split_clients "books:$sticky" $side { 50% second; * first; }
  log_format whole escape=json '{"time":"$time_iso8601","request_id":"$request_id","route":"books","assigned":"$side",'
    '"answered":"$upstream_addr","status":$status,"method":"$request_method","path":"$uri",'
    '"duration_ms":$request_time,"bytes_received":$request_length,"bytes_sent":$body_bytes_sent,'
    '"client":"$remote_addr","user":"$sticky"}';
  access_log access.jsonl whole buffer=64k flush=1s;
"""
_NGINX_WORK = """
      proxy_set_header X-Fig-Route books;
      proxy_set_header X-Fig-Side $side;
      proxy_set_header X-Fig-Client $remote_addr;
      proxy_set_header X-Request-Id $request_id;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      add_header Set-Cookie $issued;
      proxy_pass http://$side;
"""
_HAPROXY = """
global
  nbthread 1
  maxconn 8192
  {globally}
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  http-reuse always
frontend entry
  bind 127.0.0.1:{port} backlog 4096
  {frontend}
backend first
  server one 127.0.0.1:{backend}
  {first}
backend second
  server one 127.0.0.1:{backend}
  {second}
"""
_HAPROXY_LOG = (
    '{"time":"%[date,ltime(%Y-%m-%dT%H:%M:%S)]","request_id":"%ID","route":"books","assigned":"%b","answered":"%si:%sp",'
    '"status":%ST,"method":"%HM","path":"%HPO","duration_ms":%Tt,"bytes_received":%U,"bytes_sent":%B,'
    '"client":"%ci","user":"%[var(txn.key)]"}'
)
_HAPROXY_WORK = rf"""
  log global
  log-format {_HAPROXY_LOG.replace('"', chr(92) + '"').replace(" ", chr(92) + " ")}
  unique-id-format %{{+X}}o\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header X-Request-Id
  option forwardfor
  http-request set-var(txn.key) req.hdr(X-User)
  http-request set-var(txn.key) req.cook(sid) if !{{ var(txn.key) -m found }}
  acl is_new var(txn.new) -m bool
  http-request set-var(txn.new) bool(true) if !{{ var(txn.key) -m found }}
  http-request set-var(txn.key) unique-id if is_new
  http-request set-var(txn.side) var(txn.key),concat(:books),xxh64,mod(100)
  http-request set-header X-Fig-Route books
  http-request set-header X-Fig-Client %[src]
  http-response add-header Set-Cookie sid=%[var(txn.key)];\ Path=/;\ Max-Age=15552000;\ HttpOnly;\ SameSite=Lax if is_new
  http-request track-sc0 str(books) table counters
  use_backend second if {{ var(txn.side) -m int lt 50 }}
  default_backend first
backend counters
  stick-table type string size 1k store http_req_cnt,http_err_cnt
"""  # noqa: E501
_CADDY = """{{
  admin off
  auto_https off
  persist_config off
  log default {{
    level ERROR
  }}
}}
http://127.0.0.1:{port} {{
  {log}
  reverse_proxy 127.0.0.1:{backend} localhost:{backend} {{
    {policy}
  }}
}}
"""
_CADDY_WORK = """log {
    output file access.jsonl {
      roll_disabled
    }
    format json
  }"""


@contextmanager
def nginx_proxy(backend: int, folder: Path, *, core: int, works: bool) -> Iterator[tuple[int, int]]:
    """Run nginx: with `split_clients`, cookie and JSON log, or as a bare proxy; yields port and id."""
    port = free_port()
    http = _NGINX_WORK_HTTP if works else "access_log off;"
    location = _NGINX_WORK if works else "proxy_pass http://first;"
    (folder / "nginx.conf").write_text(_NGINX.format(port=port, backend=backend, http=http, location=location))
    with process([nginx(), "-p", folder, "-c", folder / "nginx.conf"], core=core, folder=folder, port=port) as pid:
        yield port, pid


@contextmanager
def haproxy(backend: int, folder: Path, *, core: int, works: bool) -> Iterator[tuple[int, int]]:
    """HAProxy: with a hashed split, cookie, JSON log to a file and counters, or as a bare proxy; yields port and id."""
    port = free_port()
    text = _HAPROXY.format(
        port=port,
        backend=backend,
        globally="log stdout format raw local0" if works else "",
        frontend=_HAPROXY_WORK if works else "default_backend first",
        first="http-request set-header X-Fig-Side first" if works else "",
        second="http-request set-header X-Fig-Side second" if works else "",
    )
    (folder / "haproxy.cfg").write_text(text)
    with process(["haproxy", "-db", "-f", folder / "haproxy.cfg"], core=core, folder=folder, port=port) as pid:
        yield port, pid


@contextmanager
def caddy(backend: int, folder: Path, *, core: int, works: bool) -> Iterator[tuple[int, int]]:
    """Caddy: with a sticky policy by cookie and its JSON log, or as a bare proxy; yields port and id."""
    port = free_port()
    policy = "lb_policy cookie sid books" if works else "lb_policy round_robin"
    log = _CADDY_WORK if works else ""
    (folder / "Caddyfile").write_text(_CADDY.format(port=port, backend=backend, policy=policy, log=log))
    command: list[str | Path] = [
        PEERS / "bin" / "caddy",
        "run",
        "--config",
        folder / "Caddyfile",
        "--adapter",
        "caddyfile",
    ]
    environment = {"GOMAXPROCS": "1", "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with process(command, core=core, folder=folder, port=port, environment=environment) as pid:
        yield port, pid
