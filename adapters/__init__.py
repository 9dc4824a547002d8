"""What a Lambda function imports when the router invokes it: event shapes, stdlib only.

Nothing here imports `dataclasses` or any package outside the standard library: a function pays for its imports at each
cold start. Imports inside are relative, so the folder also works under another name (`docs/adr/0003`).
"""
