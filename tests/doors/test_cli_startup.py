"""What the command line loads, and what it does without: every second of it is waited for."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from likely.cli import main
try:
    main()
finally:
    print("LOADED", *sorted(sys.modules), file=sys.stderr)
"""
UNNEEDED = (
    "sklearn",
    "scipy.stats",
    "pandas",
    "polars",
    "narwhals",
    "pooch",
    "jax",
    "torch._dynamo",
    "sympy",
    "likely.estimators",
)


def loaded_by(*arguments: object) -> set[str]:
    words = [str(argument) for argument in arguments]
    done = subprocess.run([sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rpartition("LOADED")[2].split())


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty images of each of two classes."""
    import numpy as np
    from PIL import Image

    folder = tmp_path_factory.mktemp("two")
    rng = np.random.default_rng(0)
    for label, level in (("dark", 40), ("light", 200)):
        (folder / label).mkdir()
        for i in range(20):
            Image.fromarray(rng.integers(level, level + 40, (12, 12)).astype(np.uint8)).save(
                folder / label / f"{i}.png"
            )
    return folder


def test_fit_and_predict_load_no_estimators_no_scikit_learn_and_no_compiler(images: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for loaded in (
        loaded_by("fit", images, "--network", "conv", "--epochs", 1, "--out", run),
        loaded_by("predict", run, images / "dark" / "0.png", "--json"),
    ):
        assert "torch" in loaded
        assert not [name for name in UNNEEDED if name in loaded]


def test_a_pure_network_answers_without_torch(images: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert "torch" not in loaded_by("fit", images, "--network", "mlp", "--hidden", 4, "--epochs", 1, "--out", run)
    assert "torch" not in loaded_by("predict", run, images / "dark" / "0.png", "--json")
