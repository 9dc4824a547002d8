"""Which files a page needs before it can be drawn: its module and all that are imported from there, by their texts.

Named in the document's head they are fetched at once; a browser that reads them one after the other to learn of the
next needs a round for each step of the longest chain.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping

from .files import File

_FROM = re.compile(r"""\bfrom\s*"(\.[^"]+)"|^import\s*"(\.[^"]+)\"""", re.MULTILINE)


def needed(files: Mapping[str, File], first: Iterable[str]) -> tuple[str, ...]:
    """These modules and whatever they import, each once, in the order in which they are met."""
    found: dict[str, None] = {}
    waiting = list(first)
    while waiting:
        name = waiting.pop(0)
        if name in found or name not in files:
            continue
        found[name] = None
        text = files[name].content.decode()
        folder = posixpath.dirname(name)
        waiting += [posixpath.normpath(posixpath.join(folder, a or b)) for a, b in _FROM.findall(text)]
    return tuple(found)
