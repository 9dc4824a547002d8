"""The Lua scripts that run in Envoy's filters: their text, from the files beside this module."""

from importlib import resources

from .proto import Json


def lua(*files: str) -> Json:
    """A Lua filter's source: these files, one after the other."""
    folder = resources.files(__package__) / "lua"
    return {"inline_string": "\n".join((folder / file).read_text("utf-8") for file in files)}
