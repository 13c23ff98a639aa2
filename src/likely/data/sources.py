"""From what a person names, a data set or a path, to a `Dataset` that can be learned from."""

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from likely.config import RunConfig
from likely.config.registry import DATA_SETS, READERS
from likely.data.dataset import Dataset, Task
from likely.data.idle_settings import refuse_unheeded, refuse_unheeded_by
from likely.data.images import fashion_mnist
from likely.data.images.decode import ImageForm
from likely.data.progress_callback import Progress
from likely.data.readers import DataRequest
from likely.data.tables.column_options import USUAL, ColumnOptions
from likely.data.tables.open_table import LabeledTable
from likely.data.tables.suffixes import KINDS_READ
from likely.data.unknown_kind import unknown_kind
from likely.data.validate import validate
from likely.errors import ConfigError, DataError, nearest, renamed_argument
from likely.preprocessing.column_reading import ColumnReading
from likely.preprocessing.columns import Column

NAMED = "named"


@renamed_argument("picture", "image")  # deprecated
def open_dataset(
    name_or_path: str | os.PathLike[str],
    data_folder: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    *,
    image_size: int | None = None,
    label: str | None = None,
    image: str | None = None,
    group: str | None = None,
    group_by_folder: bool = False,
    task: Literal["auto"] | Task = "auto",
    columns: Sequence[Column] | None = None,
    to_learn: bool = True,
    skip_bad: bool = False,
    test_last: str | None = None,
    options: ColumnOptions = USUAL,
) -> Dataset:
    """The data set with this name, or at this path, checked.

    Names come before paths: a folder that is called like a data set is meant by "./digits".

    Args:
        name_or_path: one of `DATA_SETS`, a folder of class folders (or train/, val/ and test/ with them), a folder of
            IDX files, a table (`likely.data.tables.suffixes`) or an .npz of arrays.
        data_folder: for fashion-mnist, the folder that holds its files.
        progress: told how far a download or the reading of images is.
        image_size: for images in files, resize them all to this height and width.
        skip_bad: leave out images that can't be read.
        test_last: for tables, the column of numbers or dates whose latest rows are to be the test part.
        label: for tables, the column with the answers; None guesses, and says so in the notes.
        image: for tables, the column with paths or bytes of images; None guesses.
        group: for tables, the column that says which rows are related.
        group_by_folder: for class folders, whether images in one folder below that of their class are related.
        task: for tables and .npz, what the answers are; "auto" decides by them, and says so in the notes.
        options: for tables, what was said of their columns.
        columns: for tables, those that a model learned from, to encode the rows as it does.
        to_learn: whether the rows are to be learned from, or only evaluated on.
    Returns:
        A data set that `likely.data.validate.validate` has accepted.
    Raises:
        ConfigError: if there is no data set with the name, or test_last does not fit it.
        DataError: if there is nothing at the path, or it can't be learned from; the message says why.
    Example:
        >>> iris = open_dataset("iris")
        >>> iris.labels, len(iris.train), len(iris.test)
        (('setosa', 'versicolor', 'virginica'), 120, 30)
    """
    config = RunConfig(
        data=os.fspath(name_or_path),
        data_folder=None if data_folder is None else os.fspath(data_folder),
        image_size=image_size,
        label=label,
        image=image,
        group=group,
        group_by_folder=group_by_folder,
        task=task,
        skip_bad=skip_bad,
        test_last=test_last,
        **vars(options),
    )
    return open_configured(config, progress, columns=columns, to_learn=to_learn, as_they_are=True)


def open_configured(
    config: RunConfig,
    progress: Progress | None = None,
    *,
    form: ImageForm | None = None,
    columns: Sequence[Column] | None = None,
    label_reading: ColumnReading | None = None,
    to_learn: bool = True,
    as_they_are: bool = False,
    labeled: LabeledTable | None = None,
) -> Dataset:
    """The data set that a configuration names, read as it says.

    With `form` the images in files are read as a model reads them; with columns of a model, and the reading of its
    answers, the rows of a table are; `labeled` is the table where it has been read. `as_they_are` says that images are
    not meant for the network of the configuration. The other arguments are those of `open_dataset`.
    """
    name = config.data
    kind, path = source_of(name)
    if config.data_folder is not None and name != fashion_mnist.NAME:
        raise ConfigError(
            f"A data folder is only for {fashion_mnist.NAME!r}; got {name!r}. Pass the folder itself as the data."
        )
    if config.test_last is not None and kind != "table":
        raise ConfigError(f"test_last needs a table ({KINDS_READ}); got {name!r}. Omit test_last.")
    if config.group is not None and kind != "table":
        raise ConfigError(
            f"A group column needs a table ({KINDS_READ}); got group={config.group!r} for {name}, which has no "
            "columns. Try --group-by-folder for class folders, or fit(X, y, groups=...) in Python."
        )
    if config.group_by_folder and kind != "class folder":
        raise ConfigError(
            f"Grouping by folder needs a folder of class folders; got {name}. Try --group COLUMN for a table."
        )
    if to_learn:
        refuse_unheeded(config, kind, path)
    asked = DataRequest(config, progress, form, columns, label_reading, to_learn, as_they_are, labeled)
    with readable(name):
        named = kind == NAMED
        opened = DATA_SETS[name](name, config.data_folder, progress) if named else READERS[kind].open(path, asked)
        if to_learn:
            refuse_unheeded_by(config, opened)
        return validate(opened, to_learn=to_learn)


@contextmanager
def readable(name: str) -> Generator[None]:
    """What the system can't read is an error of the data."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{name} must be readable; got: {error.strerror or error}. Check the path.") from error


def source_of(name_or_path: str | os.PathLike[str]) -> tuple[str, Path]:
    """What a person means by a name or path, `NAMED` or a name of `READERS`, and where it is.

    Raises:
        ConfigError: if there is no data set with the name.
        DataError: if there is nothing at the path, or a file of a kind that can't be learned from.
    Example:
        >>> source_of("iris")[0]
        'named'
    """
    name = os.fspath(name_or_path)
    # Unlike Path.expanduser, it leaves what it can not expand as it is.
    path = Path(os.path.expanduser(name))  # noqa: PTH111
    if name in DATA_SETS:
        return NAMED, path
    with readable(name):
        if not path.exists():
            raise _unknown(name)
        for kind, reader in READERS.items():
            if reader.reads(path):
                return kind, path
        raise unknown_kind(path)


def _unknown(name: str) -> ConfigError | DataError:
    if Path(name).name != name or Path(name).suffix or name in (".", ".."):
        return DataError(f"The data path must exist; got {name}. Check the path.")
    hint = nearest(name, DATA_SETS)
    choices = "" if hint.startswith("Choose") else f" Choose from {', '.join(map(repr, DATA_SETS))}."
    return ConfigError(
        f"Data must be the name of a data set or the path of a folder; got {name!r}, which is neither. {hint}{choices}"
    )
