"""Random numbers that belong to rows: the same row under the same seed has the same one, in every call and batch.

A randomized guarantee needs a number u in [0, 1) for each held-out and each new row, drawn for all in the same way.
Drawn one after the other from a generator, the first row of every call would get the same number, and rows that are
asked for one by one would all share it. As a function of the row and the seed, u is a part of the row like any other:
if rows are exchangeable, they are so with their numbers, and the guarantee holds for every seed, rows that are equal
included.
"""

import numpy as np

_DIGITS = 12  # bits of a float32 that are dropped: more than rounding moves a probability


def uniforms(codes: np.ndarray, seed: int) -> np.ndarray:
    """A number in [0, 1) for each code, shape (n,): the code and the seed, mixed until no pattern of either is left.

    Equal codes, unsigned integers of shape (n,), get equal numbers; another seed gives every code another number.

    Example:
        >>> uniforms(np.array([7, 8, 7], np.uint64), seed=0).round(3)
        array([0.85 , 0.855, 0.85 ])

    Reference: Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators (the mixing function).
    """
    before, after = np.random.SeedSequence(seed).generate_state(2, np.uint64)
    mixed = _mixed(_mixed(np.asarray(codes).astype(np.uint64) ^ before) + after)
    return (mixed >> np.uint64(11)) * 2.0**-53


def probability_codes(probs: np.ndarray) -> np.ndarray:
    """A code for each row of probabilities, uint64 of shape (n,), where nothing else is known of the rows.

    Probabilities (n, k) are cut to three digits, so that the rounding of a batch of another size hardly ever matters.

    Example:
        >>> one, same, other = probability_codes(np.array([[0.3, 0.7], [0.3, 0.7 + 1e-9], [0.7, 0.3]]))
        >>> bool(one == same), bool(one == other)
        (True, False)
    """
    # Half a step up, so that numbers such as 0.5 lie in the middle between two cuts.
    cut = (np.asarray(probs, np.float32).view(np.uint32) + np.uint32(1 << (_DIGITS - 1))) >> np.uint32(_DIGITS)
    code = np.zeros(len(cut), np.uint64)
    for column in cut.T:
        code = _mixed(code ^ column)
    return code


def _mixed(x: np.ndarray) -> np.ndarray:
    """A one-to-one function of 64 bits in which every bit of the input moves every bit of the output."""
    x = x + np.uint64(0x9E3779B97F4A7C15)  # unsigned arrays wrap around
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
