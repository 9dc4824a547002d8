"""The way to a target: sockets that keep to the deadline, TLS that is verified, proxies, and several endpoints.

`way.dial` is what the database and HTTP services call; nothing in here knows what is spoken over the socket.
"""
