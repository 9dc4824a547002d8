"""The estate that most data plane tests run, as text; ports come from the environment."""

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
  max_body: 20MB
  expose_side: true
legacy:
  shop:
    endpoints:
      - 127.0.0.1:${LEGACY_PORT}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT}
    timeout: ${LAMBDA_TIMEOUT:-1500ms}
    max_concurrency: 50
  alb:
    http:
      endpoints:
        - 127.0.0.1:${ALB_PORT:-9}
      host: books.internal
    timeout: 2s
  gone:
    http:
      endpoints:
        - 127.0.0.1:9
    timeout: 2s
routes:
  by-header:
    match:
      path:
        prefix: /h
    legacy: shop
    lambda: books
    timeout: 10s
    shadow: true
    cohort: {header: X-Pilot, values: [staff, "a.b"]}
    sticky:
      header: X-User
  by-header-assign:
    match:
      path:
        prefix: /ha
    legacy: shop
    lambda: books
    timeout: 10s
    sticky:
      header: X-User
      without_key: assign
  by-cookie:
    match:
      path:
        prefix: /c
    legacy: shop
    lambda: books
    timeout: 10s
    sticky:
      cookie: sid
  by-app-cookie:
    match:
      path:
        prefix: /app
    legacy: shop
    lambda: books
    timeout: 10s
    sticky:
      cookie: JSESSIONID
      without_key: legacy
  by-client:
    match:
      path:
        prefix: /ip
    legacy: shop
    lambda: books
    timeout: 10s
    sticky:
      client_address: true
  no-fallback:
    match:
      path:
        prefix: /nf
    legacy: shop
    lambda: books
    timeout: 10s
    fallback: false
    sticky:
      header: X-User
  new-only:
    match:
      path:
        prefix: /new
    lambda: books
    timeout: 10s
  rewritten:
    match:
      path:
        prefix: /shop/books
    legacy: shop
    lambda: books
    timeout: 10s
    sticky:
      header: X-User
    rewrite:
      legacy: /old/catalogue
      lambda: /
  plain-http:
    match:
      path:
        prefix: /alb
    legacy: shop
    lambda: alb
    timeout: 10s
    sticky:
      header: X-User
  plain-http-gone:
    match:
      path:
        prefix: /gone
    legacy: shop
    lambda: gone
    timeout: 10s
    sticky:
      header: X-User
  live:
    match:
      path:
        prefix: /live
    legacy: shop
    stream: true
  socket:
    match:
      path:
        prefix: /ws
    legacy: shop
    upgrade: websocket
"""
