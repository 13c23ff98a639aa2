"""Settings that mean nothing to the data: refused, so that nobody believes that they were heeded."""

from pathlib import Path

from likely.config import RunConfig
from likely.data.dataset import Dataset
from likely.data.tables.suffixes import TYPED
from likely.errors import ConfigError

_OF_TABLES = ("label", "image", "ignore", "categories", "numbers", "keep", "missing", "decimal", "encoding", "header")
_OF_IMAGE_FILES = ("image_size", "skip_bad")
_OF_ANSWERS = {"classification": ("extrapolate",), "regression": ("events", "class_weight", "head")}
_USUAL = RunConfig()


def refuse_unheeded(config: RunConfig, kind: str, path: Path) -> None:
    """Refuse settings that this kind of data has no use for, before it is opened; "table" is a row of `READERS`.

    Raises:
        ConfigError: naming the first one.
    """
    if kind != "table":
        _refuse(config, _OF_TABLES, "a table, which alone has columns")
    if kind not in ("table", "class folder"):
        _refuse(config, _OF_IMAGE_FILES, "images in files")
    suffix = path.suffix.lower()
    if kind == "table" and suffix in TYPED:
        _refuse(config, ("encoding",), f"a text file; {TYPED[suffix]} has one of its own")
        if TYPED[suffix] != "Excel":
            _refuse(config, ("header",), f"a text file or Excel; {TYPED[suffix]} always names its columns")


def refuse_unheeded_by(config: RunConfig, dataset: Dataset) -> None:
    """Refuse settings that the data, which are open now, have no use for; errors as of `refuse_unheeded`."""
    if dataset.train.X.ndim == 2:
        _refuse(config, _OF_IMAGE_FILES, "images in files; there are none here")
    if dataset.test is not None:
        _refuse(config, ("test_share",), "data without a test part; these have one")
    task = dataset.task if config.task == "auto" else config.task
    _refuse(config, _OF_ANSWERS[task], "numbers to predict" if task == "classification" else "labels")


def _refuse(config: RunConfig, names: tuple[str, ...], needs: str) -> None:
    for name in names:
        value = getattr(config, name)
        if value != getattr(_USUAL, name):
            shown = repr(value) if isinstance(value, str | int | float) else ", ".join(map(str, value))
            raise ConfigError(f"{name} must come with {needs}; got {name}={shown} for {config.data}. Omit {name}.")
