"""How much a packed file may unpack to: a small one can be made to unpack to any size."""

import zipfile

MOST = 8 * 2**30
"""Bytes, whatever the size of the file."""
ALWAYS = 2**28
"""Bytes that any file may hold; beyond, `MOST_RATIO` times its own."""
MOST_RATIO = 100
"""Tables are packed to a third or a twentieth, images as arrays seldom to less than a fiftieth."""


def most_unpacked(packed: int) -> int:
    """The bytes that a file of so many bytes may unpack to.

    Example:
        >>> most_unpacked(1_000) >> 20, most_unpacked(10_000_000)
        (256, 1000000000)
    """
    return min(MOST, max(ALWAYS, MOST_RATIO * packed))


def refuse_bombs(archive: zipfile.ZipFile, packed: int) -> None:
    """Raise a ValueError if the members of a file of so many bytes unpack to more than it may."""
    unpacked, most = sum(member.file_size for member in archive.infolist()), most_unpacked(packed)
    if unpacked > most:
        raise ValueError(f"{unpacked:,} bytes, of which there may be {most:,}")
