"""HTTP services against real servers, by TLS and through a proxy."""
