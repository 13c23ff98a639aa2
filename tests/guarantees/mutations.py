"""Changes to files that a careless or hostile hand might make: to bytes, to JSON values, to arrays."""

import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

NUMBERS = (0, -1, 1, 2, 3, 255, 256, 20_000, 30_000, 2**31 - 1, 2**31, 2**63 - 1, 2**64, 10**30, -(2**31), 0.5, -0.0)
FLOATS = (1e-308, 5e-324, 1e308, -1e308, 1e38, -1e38, 1e-45, 1.5, -2.5, 1e19)
TEXTS = ("", " ", "x", "x" * 5_000, "\x1b[31m", "\x00", "\udcff", "../../etc/passwd", "nan", "-1", "1e400", "ä\u202e")
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], [0], [None], {"": 0}, {"name": "x"})

Path = tuple[Any, ...]


def changed_bytes(content: bytes, rng: random.Random) -> bytes:
    """One to four flips, cuts, insertions, repetitions or numbers written over what is there."""
    found = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        n = len(found)
        at, length = rng.randrange(n + 1), min(n, 2 ** rng.randrange(8))
        match rng.randrange(8):
            case 0 if n:
                found[rng.randrange(n)] ^= 1 << rng.randrange(8)
            case 1:
                del found[at : at + length]
            case 2:
                found[at:at] = rng.randbytes(length)
            case 3:
                found[at:at] = found[at : at + length] * rng.randint(1, 4)
            case 4:
                size, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
                number = rng.choice((0, 1, -1, 2 ** (8 * size - 1) - 1, rng.getrandbits(8 * size - 1)))
                found[at : at + size] = number.to_bytes(size, order, signed=True)
            case 5:
                start = rng.randrange(n + 1)
                found[at : at + length] = found[start : start + length]
            case 6:
                del found[max(1, at) :]
            case _:
                found[at : at + length] = bytes([rng.choice((0, 255, 32, 10, 34, 44))]) * length
    return bytes(found)


def places(value: Any, path: Path = ()) -> list[Path]:
    """Where every value inside a JSON value stands, with itself."""
    found = [path]
    if isinstance(value, dict):
        entries = list(value.items())
    else:
        entries = list(enumerate(value[:50])) if isinstance(value, list) else []
    for key, entry in entries:
        found += places(entry, (*path, key))
    return found


def at(value: Any, path: Path) -> Any:
    """What stands there."""
    for key in path:
        value = value[key]
    return value


def other_value(value: Any, rng: random.Random) -> Any:
    """A value in place of this one, often of its type."""
    if isinstance(value, bool) or rng.random() < 0.25:
        return rng.choice((*NUMBERS, *FLOATS, *TEXTS, *OTHERS))
    if isinstance(value, int | float):
        near: tuple[Callable[[Any], Any], ...] = (
            lambda x: x + 1,
            lambda x: x - 1,
            lambda x: -x,
            lambda x: x * 1000,
            lambda x: x / 1000,
            float,
            str,
            lambda x: rng.choice((*NUMBERS, *FLOATS)),
        )
        return rng.choice(near)(value)
    if isinstance(value, str):
        return rng.choice((*TEXTS, value + "x", value[:-1], value.upper(), value * 2))
    if isinstance(value, list) and value:
        some = deepcopy(value)
        match rng.randrange(6):
            case 0:
                some.pop(rng.randrange(len(some)))
            case 1:
                some.append(deepcopy(rng.choice(some)))
            case 2:
                some.reverse()
            case 3:
                some = some * rng.choice((0, 2, 50))
            case 4:
                rng.shuffle(some)
            case _:
                some[rng.randrange(len(some))] = other_value(rng.choice(some), rng)
        return some
    return rng.choice(OTHERS)


def changed_json(document: Any, rng: random.Random) -> Any:
    """One to three values replaced, removed, added, renamed or copied to another place."""
    document = deepcopy(document)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        known = [path for path in places(document) if path]
        if not known:
            return other_value(document, rng)
        # First a place at random among those of the same names: long lists are not all that is changed.
        kinds = sorted({tuple(key for key in path if isinstance(key, str)) for path in known})
        kind = rng.choice(kinds)
        path = rng.choice([path for path in known if tuple(key for key in path if isinstance(key, str)) == kind])
        parent, key = at(document, path[:-1]), path[-1]
        match rng.randrange(10):
            case 0:
                del parent[key]
            case 1:
                parent[key] = deepcopy(at(document, rng.choice(known)))
            case 2 if isinstance(parent, dict):
                parent[rng.choice(TEXTS)] = parent.pop(key)
            case 3 if isinstance(parent, dict):
                parent[rng.choice(("x", *map(str, parent)))] = rng.choice((*NUMBERS, *OTHERS))
            case _:
                parent[key] = other_value(parent[key], rng)
    return document


def changed_array(array: np.ndarray, rng: random.Random) -> np.ndarray:
    """Another shape, dtype, order or number."""
    array = array.copy()
    with np.errstate(all="ignore"):
        match rng.randrange(9):
            case 0:
                return array.astype(rng.choice(("f2", "f4", "f8", "i1", "i4", "i8", "u1", "u4", "u8", "?")))
            case 1:
                return array.reshape(-1)
            case 2:
                return array.T.copy()
            case 3:
                return array[: rng.randrange(len(array) + 1)] if array.ndim else array
            case 4:
                return np.concatenate([array, array]) if array.ndim else array
            case 5:
                return array[::-1].copy() if array.ndim else array
            case 6:
                return -array if array.dtype.kind in "fi" else ~array
            case 7:
                return np.full_like(array, _number(array, rng))
            case _:
                if array.size:
                    array.reshape(-1)[rng.randrange(array.size)] = _number(array, rng)
                return array


def _number(array: np.ndarray, rng: random.Random) -> Any:
    if array.dtype.kind == "f":
        return array.dtype.type(rng.choice((*NUMBERS, *FLOATS, float(np.finfo(array.dtype).max))))
    if array.dtype.kind == "b":
        return rng.random() < 0.5
    limits = np.iinfo(array.dtype)
    return rng.choice((0, 1, limits.max, limits.min, 1000 % limits.max))


def as_text(document: Any, rng: random.Random) -> str:
    """JSON, now and then with what strict JSON has no word for."""
    text = json.dumps(document, ensure_ascii=rng.random() < 0.7)
    if rng.random() < 0.03:
        text = text.replace("0", rng.choice(("NaN", "Infinity", "1e999", "00")), 1)
    return text
