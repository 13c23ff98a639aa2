"""From what a person names, a data set or a path, to everything that is wrong with it; no fault hides the others."""

import os
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from likely.atomic import StrPath
from likely.config import RunConfig
from likely.data.check.all_rows import AllRows
from likely.data.check.check_dataset import check_dataset
from likely.data.check.check_folder import look_at_folder
from likely.data.check.check_image_table import look_at_image_table
from likely.data.check.findings import Finding, Findings, Place
from likely.data.dataset import Dataset
from likely.data.images.decode import look_at_image
from likely.data.images.decode_many import reading
from likely.data.progress_callback import Progress
from likely.data.sources import open_configured, readable, source_of
from likely.data.tables.column_options import ColumnOptions
from likely.data.tables.explain_columns import explained
from likely.data.tables.open_table import read_labeled_table
from likely.data.test_part import share_to_draw, with_test_part
from likely.data.validate import validate
from likely.errors import DataError, ImageError, LikelyError, ShapeError


@dataclass(frozen=True)
class Checked:
    """Data, and what is wrong with them.

    Args:
        name: what was asked for.
        findings: the worst first.
        dataset: the rows; thumbnails where they come from image files; None if there are none to learn from.
        shape: of one row as a network would get it; None if that is not clear.
    """

    name: str
    findings: Findings
    dataset: Dataset | None
    shape: tuple[int, ...] | None

    @property
    def rows(self) -> AllRows | None:
        """The rows of all parts."""
        return None if self.dataset is None else AllRows(self.dataset)

    def image(self, place: Place) -> np.ndarray | None:
        """The image at a place, in its own shape; None where there is none to be seen."""
        rows = self.rows
        if rows is None or not rows.are_images:
            return None
        part = None if place.index is None else rows.parts[place.part]
        if part is not None and part.paths is None:
            return part.X[place.index]
        if place.kind == "path":
            with suppress(ImageError):
                return np.asarray(look_at_image(rows.folder / place.name).image)
        return None

    def to_json(self) -> dict[str, object]:
        """Everything, in plain JSON values.

        name, found_at: what was asked for, and where it lies.
        fit_would_work: whether no finding is an error.
        task, shape, rows, labels, notes: of the data, as far as they could be read: rows by part, and labels by part
            and class.
        columns: of a table, what each was taken for and how it is read; the notes say which are ignored, and why.
        findings: a list, the worst first; each has a kind, a severity (error, warning, note), a message, an advice, the
            count of its groups, and the groups: lists of places that belong together. A place has its name under
            "path", "row", "label" or "column", and "part", "label" and "detail" where they are known.
        """
        rows, dataset = self.rows, self.dataset
        return {
            "name": self.name,
            "found_at": self.name if dataset is None else dataset.found_at,
            "fit_would_work": self.findings.fit_would_work,
            "task": None if dataset is None else dataset.task,
            "shape": None if self.shape is None else list(self.shape),
            "rows": {} if rows is None else {name: len(part) for name, part in rows.parts.items()},
            "labels": {} if rows is None else rows.class_counts(),
            "columns": []
            if dataset is None or dataset.columns is None
            else [column._asdict() for column in explained(dataset.columns)],
            "notes": [] if dataset is None else list(dataset.notes),
            "findings": self.findings.to_json(),
        }


def check_source(config: RunConfig | StrPath, progress: Progress | None = None) -> Checked:
    """Everything that is wrong with data, whether they can be opened or not.

    The configuration, or a name or path alone, says what data and how to read them; its seed draws the test part, where
    they have none.

    Raises:
        ConfigError, DataError: if there is nothing at the path.
    Example:
        >>> checked = check_source("iris")
        >>> checked.findings.fit_would_work, [finding.kind for finding in checked.findings]
        (True, ['few-to-judge', 'duplicates'])
    """
    if not isinstance(config, RunConfig):
        config = RunConfig(data=os.fspath(config))
    name = config.data
    try:
        with readable(name):
            kind, path = source_of(name)
            how = reading(config, progress)
            looked = labeled = None
            if kind == "class folder":
                looked = look_at_folder(path, how, group_by_folder=config.group_by_folder)
            elif kind == "table":
                options = ColumnOptions.of(config)
                labeled = read_labeled_table(path, config.label, config.task, options, image=config.image)
                looked = look_at_image_table(path, labeled, config.image, how)
        if looked is not None:
            found: list[Finding] = looked.findings
            if looked.dataset is not None:
                found = [*found, *check_dataset(looked.dataset, digests=looked.digests)]
                if Findings(found).fit_would_work:
                    found += _refusals(looked.dataset, config)
            return Checked(name, Findings(found), looked.dataset, looked.shape)
        dataset = open_configured(config, progress, labeled=labeled)
    except (DataError, ShapeError) as error:
        if not os.path.exists(os.path.expanduser(name)):  # noqa: PTH110, PTH111
            raise
        return Checked(name, Findings([Finding("refused", "error", str(error))]), None, None)
    found = [*check_dataset(dataset), *_refusals(dataset, config)]
    return Checked(name, Findings(found), dataset, dataset.train.X.shape[1:])


def _refusals(dataset: Dataset, config: RunConfig) -> list[Finding]:
    """What the fit itself would refuse, after it has drawn a test part."""
    try:
        share = share_to_draw(validate(dataset), config.test_share, goes_on=config.init_from is not None)
        with_test_part(dataset, config.seed, share)
    except LikelyError as error:
        return [Finding("refused", "error", str(error))]
    return []
