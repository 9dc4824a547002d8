"""The four shapes that meet here: Envoy's request and answer, API Gateway v2's event and answer.

Source: Envoy 1.40, `aws_lambda_filter` (JSON form, `payload_passthrough: false`); Amazon API Gateway developer guide,
"Lambda proxy integrations for HTTP APIs", payload format 2.0.
"""

from typing import NotRequired, TypedDict


class EnvoyRequest(TypedDict):
    """What Envoy's filter sends; no pseudo-header is among `headers`, repeated ones are joined with a comma.

    `query_string_parameters` keeps the first of repeated keys and is not decoded: `raw_path` has the whole query.
    """

    raw_path: str
    method: str
    headers: dict[str, str]
    query_string_parameters: dict[str, str]
    body: str
    is_base64_encoded: bool


class EnvoyAnswer(TypedDict):
    """What Envoy's filter reads; a missing content type becomes `application/json`."""

    status_code: int
    headers: dict[str, str]
    cookies: list[str]
    body: str
    is_base64_encoded: bool


class GatewayHttp(TypedDict):
    """`requestContext.http`; `path` is percent-encoded as the client sent it."""

    method: str
    path: str
    protocol: str
    sourceIp: str
    userAgent: str


class GatewayJwt(TypedDict):
    """The identity's claims as API Gateway writes them: every value is a string."""

    claims: dict[str, str]
    scopes: list[str] | None


class GatewayAuthorizer(TypedDict):
    """`requestContext.authorizer`: there only when the router vouches for an identity."""

    jwt: GatewayJwt


class FigContext(TypedDict):
    """`requestContext.fig`: what only the router knows; `claims` are the JSON values, not strings."""

    shadow: bool
    route: NotRequired[str]
    side: NotRequired[str]
    user: NotRequired[str]
    claims: NotRequired[dict[str, object]]


class GatewayContext(TypedDict):
    """`requestContext`; `timeEpoch` in milliseconds."""

    accountId: str
    apiId: str
    domainName: str
    domainPrefix: str
    http: GatewayHttp
    requestId: str
    routeKey: str
    stage: str
    time: str
    timeEpoch: int
    authorizer: NotRequired[GatewayAuthorizer]
    fig: FigContext


class GatewayEvent(TypedDict):
    """An API Gateway v2 event; `rawPath` is decoded, as HTTP APIs send it."""

    version: str
    routeKey: str
    rawPath: str
    rawQueryString: str
    headers: dict[str, str]
    requestContext: GatewayContext
    isBase64Encoded: bool
    cookies: NotRequired[list[str]]
    queryStringParameters: NotRequired[dict[str, str]]
    body: NotRequired[str]


class GatewayAnswer(TypedDict):
    """What a handler returns to API Gateway v2; only the status is required."""

    statusCode: int
    headers: NotRequired[dict[str, str]]
    cookies: NotRequired[list[str]]
    body: NotRequired[str]
    isBase64Encoded: NotRequired[bool]
