"""Whatever file comes: an answer or a clear error, soon. `make prove PART=fuzz` in full, here a few inputs of each.

Inputs that once did anything else are kept as tests of what they broke.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.guarantees.fuzzed_backbones import BACKBONE_MODELS
from tests.guarantees.fuzzed_data import CONFIGS, CORRECTIONS, HASHES, HISTORIES, IDX, METRICS, NPZ, TABLES
from tests.guarantees.fuzzed_images import IMAGES, picture, saved
from tests.guarantees.fuzzed_models import MODELS, old_models
from tests.guarantees.fuzzing import Target, fuzz, proof_of

from likely.config import RunConfig, load_config
from likely.data.images.decode import read_image
from likely.data.images.idx import read_idx
from likely.data.sources import open_dataset
from likely.data.tables.number_text import decimal_mark
from likely.errors import ConfigError, DataError, ImageError, LikelyError
from likely.model.run_folder import read_history

FILES = (NPZ, IDX, *CONFIGS, CORRECTIONS, HISTORIES, METRICS, HASHES)

FUZZ_MODELS = proof_of(MODELS, draws=40)
FUZZ_BACKBONE_MODELS = proof_of(BACKBONE_MODELS, draws=5)
FUZZ_PNG, FUZZ_JPEG, FUZZ_GIF, FUZZ_BMP, FUZZ_TIFF, FUZZ_WEBP = (proof_of(target, draws=120) for target in IMAGES)
FUZZ_CSV, FUZZ_TSV, FUZZ_PACKED_CSV, FUZZ_JSONL, FUZZ_PARQUET, FUZZ_EXCEL = (
    proof_of(target, draws=10) for target in TABLES
)
FUZZ_NPZ, FUZZ_IDX, FUZZ_JSON, FUZZ_TOML, FUZZ_CORRECTIONS, FUZZ_HISTORY, FUZZ_METRICS, FUZZ_HASHES = (
    proof_of(target, draws=25) for target in FILES
)


@pytest.mark.parametrize(
    ("target", "inputs"),
    [
        (replace(MODELS, seeds=old_models), 100),
        *((target, 40) for target in IMAGES),
        *((target, 6) for target in TABLES),
        *((target, 40) for target in FILES),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_an_answer_or_a_clear_error(target: Target, inputs: int) -> None:
    found = fuzz(target, 0, inputs)
    assert found.inputs == inputs
    assert not found.defects, next(iter(found.defects.values()))


def test_what_was_found_is_refused(tmp_path: Path) -> None:
    idx, npz, jpeg = tmp_path / "x-ubyte", tmp_path / "x.npz", tmp_path / "x.jpg"
    idx.write_bytes(bytes([0, 0, 8, 9]) + b"\xff\xff\xff\xff" * 8 + bytes(4))
    with pytest.raises(DataError, match="must hold an array"):
        read_idx(idx)
    texts = np.array(["aa", "bb"] * 5)
    texts.view(np.uint32)[0] = 0x7FFFFFFF
    np.savez(npz, X=np.zeros((10, 2)), y=texts)
    with pytest.raises(DataError, match="must be whole"):
        open_dataset(npz)
    content = saved(picture("L"), "JPEG", progressive=True)
    jpeg.write_bytes(content.replace(b"\x01\x01\x11\x00", b"\x01\x01\x00\x00", 1))  # no samples of the one component
    with pytest.raises(ImageError):
        read_image(jpeg, shape=(8, 8))
    for name, read in {"x.json": load_config, "x.toml": load_config, "x.jsonl": open_dataset}.items():
        (tmp_path / name).write_text(
            ("" if name == "x.json" else "x = " if name == "x.toml" else '{"x":') + "[" * 100_000
        )
        with pytest.raises(LikelyError, match=name):
            read(tmp_path / name)
    (tmp_path / "history.jsonl").write_text("[" * 100_000)
    with pytest.raises(DataError, match="line 1"):
        read_history(tmp_path)
    assert decimal_mark(["1,5", *["9" * 400] * 20, "12:30"]) == ""  # at once
    with pytest.raises(ConfigError, match="a name that is text"):
        RunConfig.from_json({"\udcff": 1})
