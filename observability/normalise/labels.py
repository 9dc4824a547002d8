"""Short texts that repeat (keys, names, versions, units, addresses of schemas), bounded and masked as any text is."""

from functools import lru_cache

from strangler_fig.masking import mask_text

from .bounds import MAX_NAME, bounded


def label(said: str) -> str:
    """The text as it is kept: masked, and no longer than a name."""
    return _known(said) if len(said) <= MAX_NAME else _label(said)


def _label(said: str) -> str:
    """Masked before it is cut, as half of a secret is not recognised as one."""
    return bounded(mask_text(bounded(said)), MAX_NAME)


_known = lru_cache(maxsize=16_384)(_label)
