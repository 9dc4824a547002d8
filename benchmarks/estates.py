"""Large estates for benchmarks: the same text for the same number of routes, with every kind of match in it."""

_HEAD = """\
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT:-8080}
  default: legacy-0
  max_headers: 64KiB
"""
_HOSTS = ("shop.example", "books.example", "api.bank.example", '"*.branch.example"')
_METHODS = ("", "", "[GET, HEAD]", "[POST]", "[GET, HEAD, POST]")
_SERVICES = 20
_FUNCTIONS = 50


def large_estate(routes: int) -> str:
    """Write an estate file with so many routes: half prefixes, 40% exact, 10% regex; 1 in 20 with legacy only."""
    legacy = "".join(
        f"  legacy-{number}:\n    endpoints:\n      - 10.0.{number}.1:8080\n      - 10.0.{number}.2:8080\n"
        for number in range(_SERVICES)
    )
    functions = "".join(_function(number) for number in range(_FUNCTIONS))
    return f"{_HEAD}legacy:\n{legacy}lambda:\n{functions}routes:\n" + "".join(
        _route(number) for number in range(routes)
    )


def _function(number: int) -> str:
    return (
        f"  function-{number}:\n"
        f"    arn: arn:aws:lambda:eu-west-1:123456789012:function:function-{number}:live\n"
        "    endpoint: https://vpce-0123456789abcdef0.lambda.eu-west-1.vpce.amazonaws.com\n"
        "    timeout: 5s\n"
        "    max_concurrency: 100\n"
    )


def _route(number: int) -> str:
    lines = [f"  route-{number}:", "    match:", f"      path: {{{_path(number)}}}"]
    if number % 20:  # an estate with hosts names them nearly everywhere
        lines.append(f"      host: {_HOSTS[number % len(_HOSTS)]}")
    if methods := _METHODS[number % len(_METHODS)]:
        lines.append(f"      methods: {methods}")
    if number % 11 == 0:
        lines.append("      headers: {X-Api: v2}")
    lines.append(f"    legacy: legacy-{number % _SERVICES}")
    if number % 20:
        lines.append(f"    lambda: function-{number % _FUNCTIONS}")
        if number % 3 == 0:
            lines.append("    sticky: {header: X-User, without_key: legacy}")
        elif number % 3 == 1:
            lines.append("    sticky: {cookie: session, without_key: assign}")
    if number % 7 == 0:
        lines.append("    timeout: 20s")
    return "\n".join(lines) + "\n"


def _path(number: int) -> str:
    team = f"/team-{number % 97}"
    if number % 10 == 9:
        return f'regex: "{team}/item-{number}/[0-9]+"'
    return f"prefix: {team}/area-{number}" if number % 2 else f"exact: {team}/page-{number}"
