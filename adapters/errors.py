"""What can go wrong between the router and a handler, by who must act.

    AdaptersFailed
      |- EventUnreadable      the router's side: the event is not what Envoy's filter sends; the handler did not run
      |    '- BodyDamaged     the body lost bytes on its way into the event; no retry helps, another side must serve it
      '- AnswerInvalid        the function's author: what the handler returned is no API Gateway v2 answer; it did run

The root is not `strangler_fig.diagnostics.Failed`: no command of `fig` runs a handler, and importing `dataclasses` for
it would double the time that this package adds to a cold start.
"""


class AdaptersFailed(Exception):  # noqa: N818 - the root of a tree, named like the other packages' roots
    """A request could not be brought to the handler, or its answer not back."""


class EventUnreadable(AdaptersFailed):
    """The event has Envoy's keys but not its shape; the handler did not run, so any side may serve the request."""

    status = 502


class BodyDamaged(EventUnreadable):
    """The body is text in the event although its bytes were not: Envoy put spaces where the bytes were no UTF-8."""

    status = 415


class AnswerInvalid(AdaptersFailed):
    """The handler returned what API Gateway v2 would not accept; the function fails instead of answering 200."""
