"""How long work reports how far it is, without knowing who looks."""

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[str, int, int | None], None]
"""(what is being done, how much is done, how much there is or None if that is not known)."""
