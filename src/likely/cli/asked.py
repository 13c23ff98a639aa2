"""What `likely predict` is asked about: images, each as the model takes it or with an error; or a table."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import typer

from likely.cli.answers import Name
from likely.cli.terminal import complain
from likely.data.images.decode import read_image
from likely.data.images.paths_and_globs import SUFFIXES, Found, find_images
from likely.data.tables.suffixes import KINDS_READ, is_table
from likely.errors import DataError, ImageError
from likely.model import Predictor

Asked: TypeAlias = tuple[Name, np.ndarray | str]
"""What to call it, and a row for the model, or why there is none."""


def table_among(predictor: Predictor, arguments: Sequence[str]) -> str | None:
    """The table that is asked about, alone; None where images are. Refuses images where the model reads none."""
    tables = [a for a in arguments if is_table(a) or (a == "-" and predictor.image_shape is None)]
    if tables and len(arguments) > 1:
        raise typer.BadParameter(
            f"A table must be the only argument; got {len(arguments)} arguments.", param_hint="IMAGE"
        )
    if not tables and predictor.image_shape is None:
        path = Path(arguments[0])
        if path.suffix and path.suffix.lower() not in SUFFIXES and not path.exists():
            raise DataError(f"The table must exist; got {path}. Check the path.")
        if path.is_file() and path.suffix.lower() not in SUFFIXES:
            from likely.data.unknown_kind import unknown_kind

            raise unknown_kind(path)
        raise DataError(
            f"The model must read images to answer {arguments[0]}; got a model of tables with "
            f"{predictor.preprocessor.shape[0]} columns. Try a table ({KINDS_READ}), or - for standard input."
        )
    return tables[0] if tables else None


def images_asked(predictor: Predictor, arguments: Sequence[str], *, raw: bool) -> Iterator[Asked]:
    """The images that the arguments mean."""
    search = find_images(arguments)
    if about := search.about_others():
        complain(f"note: {about}")
    for found in search.found:
        yield found.name, image_read(predictor, found, raw=raw)


def image_read(predictor: Predictor, found: Found, *, raw: bool) -> np.ndarray | str:
    """The image as the model takes it, or why there is none."""
    shape = predictor.image_shape
    if found.source is None or shape is None:
        return found.error or "Nothing was piped in."
    name = "The standard input" if found.name == "-" else found.name
    try:
        return read_image(found.source, shape=shape, conversion=predictor.card.conversion, raw=raw, name=name)
    except ImageError as error:
        return str(error)
