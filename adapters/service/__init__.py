"""HTTP services on-premises, through urllib3, by the same policy as databases.

HttpService (target) -> pool: our way, TLS in the service's own name -> retries inside the deadline -> Answer
failures: whatever urllib3 raises -> `adapters.errors`
"""

from .answer import Answer
from .target import HttpService

__all__ = ["Answer", "HttpService"]
