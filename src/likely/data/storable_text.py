"""Text that a model file can keep: what UTF-8 can say."""

from collections.abc import Iterable

from likely.errors import DataError


def refuse_unstorable(texts: Iterable[object], what: str) -> None:
    """Refuse text with a lone surrogate, which stands for a byte that was not UTF-8; anything but text passes.

    Args:
        texts: names or values.
        what: what each of them is, such as "A label".
    Raises:
        DataError: naming the first.
    Example:
        >>> refuse_unstorable(["cat", "d" + chr(0xDCF6) + "g"], "A label")
        Traceback (most recent call last):
        likely.errors.DataError: A label must be text that UTF-8 can store; got 'd\\udcf6g'. Model files are UTF-8. ...
    """
    for text in texts:
        try:
            if isinstance(text, str):
                text.encode()
        except UnicodeEncodeError:
            raise DataError(
                f"{what} must be text that UTF-8 can store; got {text!r}. Model files are UTF-8. Rename it, or decode "
                "it with the encoding it came in."
            ) from None
