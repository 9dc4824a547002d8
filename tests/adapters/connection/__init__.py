"""Sockets, TLS, proxies and endpoints against real peers."""
