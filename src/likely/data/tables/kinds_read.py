"""The endings of all tables that can be read, as messages and help texts list them."""

from likely.data.tables.source_file import PACKED
from likely.data.tables.suffixes import TEXT, TYPED

KINDS_READ = f"{', '.join((*TEXT, *TYPED))}; packed: {', '.join(PACKED)}"
