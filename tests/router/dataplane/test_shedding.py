"""What a node that runs short of memory switches off, and on again."""

import json

from router.snapshot.names import SHADOWING

from .conftest import World
from .harness import eventually


def test_one_key_switches_all_shadows_off_and_on(world: World) -> None:
    """Whatever the shares of routes are, nothing is mirrored while the key is 0; without it shadows are back."""
    world.router.shift(by_header=0)
    data = json.loads((world.router.state / "live" / "rtds" / "current").read_bytes())
    data["resources"][0]["layer"]["shadow.by-header"] = 10_000
    world.router.put_runtime(json.dumps(data).encode())

    def ask() -> None:
        assert world.router.request("/h", [("X-User", "a")]).header("x-fig-side") == "legacy"

    ask()
    eventually(lambda: len(world.api.events) == 1)
    world.router.admin(f"/runtime_modify?{SHADOWING}=0", "POST")
    for _ in range(20):
        ask()
    world.router.admin(f"/runtime_modify?{SHADOWING}=", "POST")
    ask()
    eventually(lambda: len(world.api.events) == 2)  # had any of the twenty been mirrored, it would have come before
    assert len(world.legacy.seen) == 22
