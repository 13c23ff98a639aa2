"""What version 0.1.0 called `picture` still works under that name, with a warning, for one version."""

import json
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from likely import Distribution, SampleSpace, errors, load, open_dataset
from likely.cli.app import app
from likely.config import RunConfig, load_config
from likely.errors import ConfigError, ImageError, RenamedWarning

OLD_MODEL = Path(__file__).parent / "model" / "data" / "older_conv.likely"
Written = Callable[[], Path]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table")
    rng = np.random.default_rng(0)
    lines = ["shade,scan,shot"]
    for i in range(60):
        name, low = f"{i}.png", (0, 150)[i % 2]
        Image.fromarray(rng.integers(low, low + 60, (8, 8), dtype=np.uint8)).save(folder / name)
        lines.append(f"{('dark', 'bright')[i % 2]},{name},{name}")
    (folder / "all.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "all.csv"


def likely(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], prog_name="likely", catch_exceptions=False)


@pytest.mark.parametrize("told", [("--picture", "shot"), ("--picture=shot",)], ids=["apart", "in one word"])
def test_the_option_works_with_a_warning_and_is_not_in_the_help(table: Path, told: tuple[str, ...]) -> None:
    old = likely("check", table, "--label", "shade", *told)
    new = likely("check", table, "--label", "shade", "--image", "shot")
    assert old.stdout == new.stdout
    assert old.exit_code == new.exit_code
    assert "warning: --picture is deprecated; use --image." in old.stderr
    assert "deprecated" not in new.stderr
    assert "--picture" not in likely("check", "--help").stdout


def test_settings_work_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="use image"):
        assert RunConfig(picture="shot").image == "shot"
    with pytest.warns(DeprecationWarning, match="use image"):
        assert RunConfig.from_json(tomllib.loads('picture = "shot"')).image == "shot"
    with pytest.warns(DeprecationWarning, match="use image"):
        assert RunConfig(seed=1).replace(picture="shot").image == "shot"
    with pytest.raises(ConfigError, match="got 'picture'"):
        RunConfig(picture="shot", image="scan")


def test_configuration_files_of_old_run_folders_load(tmp_path: Path) -> None:
    values = RunConfig(data="all.csv").to_json()
    assert "picture" not in values
    del values["image"]
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**values, "picture": "shot"}), encoding="utf-8")
    with pytest.warns(DeprecationWarning, match="use image"):
        assert load_config(path) == RunConfig(data="all.csv", image="shot")
    # A setting that nobody made is nothing to warn of.
    path.write_text(json.dumps({**values, "picture": None}), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_config(path) == RunConfig(data="all.csv")


def test_the_command_line_wins_over_an_old_configuration_file(table: Path, tmp_path: Path) -> None:
    file = tmp_path / "old.toml"
    file.write_text(f'data = "{table}"\nlabel = "shade"\npicture = "scan"\nnetwork = "linear"\nepochs = 1\n', "utf-8")
    result = likely("fit", "--config", file, "--image", "shot", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "warning: The setting picture is deprecated; use image." in result.stderr
    assert load(tmp_path / "run").card.data.image == "shot"


def test_arguments_of_functions_work_with_a_warning(table: Path) -> None:
    with pytest.warns(DeprecationWarning, match="argument picture is deprecated; use image"):
        dataset = open_dataset(table, label="shade", picture="shot")  # pyright: ignore[reportCallIssue]
    assert dataset.image == "shot"
    with pytest.raises(TypeError, match="picture"):
        open_dataset(table, label="shade", picture="shot", image="scan")  # pyright: ignore[reportCallIssue]

    mpl.use("Agg")
    P = Distribution(SampleSpace(["a", "b"]), np.array([[0.2, 0.8]]))
    with pytest.warns(DeprecationWarning, match="argument pictures is deprecated; use images"):
        (bars,) = P.plot(pictures=np.zeros((1, 4, 4)))  # pyright: ignore[reportCallIssue]
    assert len(bars.figure.axes) == 2


def test_the_error_has_its_old_name_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="use ImageError"):
        assert errors.PictureError is ImageError
    with pytest.warns(RenamedWarning):
        from likely.errors import PictureError  # pyright: ignore[reportUnknownVariableType]
    assert PictureError is ImageError
    with pytest.raises(AttributeError, match="PitureError"):
        errors.PitureError  # noqa: B018


def test_a_model_file_that_says_pictures_is_read_and_written_anew_as_images(tmp_path: Path) -> None:
    content = OLD_MODEL.read_bytes()
    assert b'"kind":"pictures"' in content.replace(b" ", b"").replace(b"\\", b"")
    model = load(OLD_MODEL)
    assert model.card.normalization["kind"] == "images"
    assert model.card.data.image is None
    with pytest.warns(DeprecationWarning, match="use image_shape"):
        assert model.picture_shape == model.image_shape
    model.save(tmp_path / "new.likely")
    assert b"picture" not in (tmp_path / "new.likely").read_bytes()
