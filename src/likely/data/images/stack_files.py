"""Lists of paths, of the bytes of files or of Pillow's images as the rows that a data set holds."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from likely.data.images.decode import ImageForm, image_shape, read_image
from likely.data.images.decode_many import AS_THEY_ARE, Reading, load_images
from likely.data.images.open_image import name_of
from likely.errors import ImageWarning
from likely.preprocessing.stored_rows import RowArray


def stack_files(X: Sequence[Any], how: Reading = AS_THEY_ARE) -> tuple[RowArray, ImageForm]:
    """Paths, the bytes of files or Pillow's images as rows, and how each became one; a DataError if one can't be read.

    Warns:
        ImageWarning: if they have several sizes and no size is asked for: they get one.
    """
    if all(isinstance(x, str | bytes | os.PathLike) for x in X):
        sources = [x if isinstance(x, bytes) else Path(x) for x in X]
        names = [f"Row {i}" if isinstance(x, bytes) else os.fspath(x) for i, x in enumerate(X)]
        loaded = load_images(sources, names, how)
        rows, form, note = loaded.X, loaded.form, loaded.note
    else:
        named = [(x, name_of(x, f"Row {i}")) for i, x in enumerate(X)]
        form, note = how.form_of([image_shape(x, name=name) for x, name in named])
        rows = np.stack([read_image(x, shape=form.shape, conversion=form.conversion, name=name) for x, name in named])
    if note:
        warnings.warn(note, ImageWarning, stacklevel=5)
    return rows, form
