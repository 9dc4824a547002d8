"""The commands of this package, under the names that `fig` knows."""

from .lambda_command import lambda_
from .up_command import up

__all__ = ["lambda_", "up"]
