"""What can be read from a path: each reader says which paths are its own, and makes a data set of one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from likely.config import RunConfig
from likely.data.dataset import Dataset
from likely.data.images import fashion_mnist
from likely.data.images.decode import ImageForm
from likely.data.images.decode_many import Reading, reading
from likely.data.images.idx import is_idx_folder, open_idx_folder
from likely.data.images.open_class_folder import open_class_folder
from likely.data.npz import open_npz
from likely.data.progress_callback import Progress
from likely.data.tables.column_options import ColumnOptions
from likely.data.tables.open_table import LabeledTable, open_table
from likely.data.tables.suffixes import is_table
from likely.preprocessing.column_reading import ColumnReading
from likely.preprocessing.columns import Column


@dataclass(frozen=True)
class DataRequest:
    """What was asked of data beside their path, as in `open_configured`; a reader takes what applies to it."""

    config: RunConfig
    progress: Progress | None = None
    form: ImageForm | None = None
    columns: Sequence[Column] | None = None
    label_reading: ColumnReading | None = None
    to_learn: bool = True
    as_they_are: bool = False
    labeled: LabeledTable | None = None

    @property
    def how(self) -> Reading:
        """How images are read."""
        return reading(self.config, self.progress, self.form, as_they_are=self.as_they_are or not self.to_learn)


@dataclass(frozen=True)
class Reader:
    """A row of `READERS`: whether an existing path is one of its kind, so that it opens it; and how it does."""

    reads: Callable[[Path], bool]
    open: Callable[[Path, DataRequest], Dataset]


def _open_table(path: Path, asked: DataRequest) -> Dataset:
    config = asked.config
    return open_table(
        path,
        label=config.label,
        image=config.image,
        group=config.group,
        task=config.task,
        test_last=config.test_last,
        columns=asked.columns,
        label_reading=asked.label_reading,
        to_learn=asked.to_learn,
        how=asked.how,
        options=ColumnOptions.of(config),
        labeled=asked.labeled,
    )


IDX_FOLDER = Reader(
    lambda path: path.is_dir() and is_idx_folder(path),
    lambda path, asked: fashion_mnist.recognize(path) or open_idx_folder(path),
)
CLASS_FOLDER = Reader(
    Path.is_dir,
    lambda path, asked: open_class_folder(
        path, asked.how, group_by_folder=asked.config.group_by_folder, to_learn=asked.to_learn
    ),
)
TABLE = Reader(is_table, _open_table)
NPZ = Reader(lambda path: path.suffix.lower() == ".npz", lambda path, asked: open_npz(path, task=asked.config.task))
