"""The report of a run: right after it, or again from its folder."""

from pathlib import Path

from likely.atomic import write_text
from likely.config import RunConfig, load_config
from likely.data.corrections import relative_path
from likely.data.dataset import Dataset
from likely.data.groups import shared_with
from likely.errors import DataError
from likely.model import ClassifierPredictor, RegressorPredictor, load
from likely.model.run_folder import CONFIG, HELD_OUT, MODEL, REPORT, read_held_out, read_history
from likely.report.disagreement_section import doubt_of
from likely.report.explained_rows import why_cards
from likely.report.explanation_page import how_to_read
from likely.report.importance_section import importance_section
from likely.report.promise_sections import trust_of
from likely.report.report import render
from likely.report.report_data import ReportData
from likely.training.blas_threads import blas_threads_for
from likely.training.evaluate import Evaluated, evaluate
from likely.training.evaluate_held_out import from_arrays
from likely.training.fit import Run
from likely.training.open_data import open_data
from likely.training.resume.basis import refuse_other_settings
from likely.training.watcher import Watcher


def report_run(run: Run, *, explain: bool = False) -> Path:
    """Write `report.html` into the folder of a run that has just ended; returns its path.

    Says why some test rows were answered as they were: at most six, or, to `explain`, all that are shown.
    """
    return _write(run.folder, run.dataset, run.predictor, run.evaluated, private=run.private, explain=explain)


def report_folder(folder: str | Path, watcher: Watcher | None = None, *, explain: bool = False) -> Path:
    """Write `report.html` again from a run folder, whose data are opened and evaluated again; returns its path.

    Raises:
        DataError: if the folder holds no run, or the data are no longer those that the model was made from.
    """
    return _written_again(Path(folder), *_opened(Path(folder), watcher), explain=explain)


def report_complete(config: RunConfig, watcher: Watcher | None = None) -> Path:
    """The report of the run in `config.out`, which has come to its end; it is written where it is missing.

    Raises:
        ConfigError: if the run had other settings.
        DataError: if the data are no longer those that the model was made from.
    """
    folder = Path(config.out or "")
    opened = _opened(folder, watcher, now=config)
    path = folder / REPORT
    return path if path.is_file() else _written_again(folder, *opened, explain=False)


def _opened(
    folder: Path, watcher: Watcher | None, *, now: RunConfig | None = None
) -> tuple[RunConfig, ClassifierPredictor | RegressorPredictor, Dataset]:
    """The settings of a run, which are those of `now`, its model, and the data that it was made from."""
    if not (folder / MODEL).exists() or not (folder / CONFIG).exists():
        raise DataError(f"A run folder must hold {MODEL} and {CONFIG}; {folder} does not. Try the folder of --out.")
    config = load_config(folder / CONFIG)
    if now is not None:
        refuse_other_settings(folder, config, now)
    predictor = load(folder / MODEL)
    dataset = open_data(config, watcher)
    if dataset.sha256 != predictor.card.data.sha256:
        raise DataError(
            f"{config.data} must be the data of the run; got content with hash {dataset.sha256[:12]}, the model was "
            f"made from {predictor.card.data.sha256[:12]}. The data have changed since. Try likely fit again."
        )
    return config, predictor, dataset


def _written_again(
    folder: Path,
    config: RunConfig,
    predictor: ClassifierPredictor | RegressorPredictor,
    dataset: Dataset,
    *,
    explain: bool,
) -> Path:
    if dataset.test is not None:
        seen = shared_with(dataset.test, (dataset.train, dataset.val))
        evaluated = evaluate(predictor, dataset.test, seen)
    else:
        arrays, evaluation = read_held_out(folder), predictor.card.evaluation
        if arrays is None or evaluation is None:
            raise DataError(
                f"A run folder without test rows must hold {HELD_OUT}, what was answered to rows held out in training; "
                f"{folder} does not. Try likely fit again, or --test-share 20% for a test part."
            )
        evaluated = from_arrays(evaluation, arrays, dataset)
    return _write(folder, dataset, predictor, evaluated, private=config.private, explain=explain or config.explain)


def _write(
    folder: Path,
    dataset: Dataset,
    predictor: ClassifierPredictor | RegressorPredictor,
    evaluated: Evaluated,
    *,
    private: bool,
    explain: bool,
) -> Path:
    test, path = evaluated.part, folder / REPORT
    with blas_threads_for(test.X):
        names = None if test.paths is None else [relative_path(each, dataset.found_at) for each in test.paths]
        data = ReportData(
            title=predictor.card.data.name,
            card=predictor.card,
            history=read_history(folder),
            evaluation=evaluated.evaluation,
            labels=predictor.card.labels,
            y=test.y,
            probs=evaluated.answers.reshape(len(test), -1),
            images=None if predictor.image_shape is None or private else test.X,
            names=names,
            trust=trust_of(predictor, evaluated) if isinstance(predictor, ClassifierPredictor) else None,
            doubt=doubt_of(predictor, evaluated),
            importance=importance_section(predictor, test, knows_rows=evaluated.evaluation.rows == "out-of-fold"),
            why=[] if private else why_cards(predictor, evaluated, names, asked=explain),
            how_why=how_to_read(of_images=predictor.image_shape is not None),
        )
    write_text(path, render(data))
    return path
