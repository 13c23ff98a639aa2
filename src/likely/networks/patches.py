"""The patches that the first layer of a conv net takes from an image, by the pixels from one to the next (stride)."""


def patch_side(stride: int) -> int:
    """Pixels along a side of a patch.

    Example:
        >>> [patch_side(stride) for stride in (1, 2, 4, 8)]
        [3, 4, 8, 16]
    """
    return max(3, 2 * stride)


def padding_of(stride: int) -> int:
    """Pixels around an image before its patches are taken."""
    return max(1, stride // 2)


def patches_along(side: int, stride: int) -> int:
    """How many patches lie along a side of so many pixels.

    Example:
        >>> [patches_along(28, stride) for stride in (1, 2, 4)]
        [28, 14, 7]
    """
    return (side + 2 * padding_of(stride) - patch_side(stride)) // stride + 1
