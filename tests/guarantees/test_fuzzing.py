"""Whatever file comes: an answer or a clear error, soon. `make prove PART=fuzz` in full, here a few inputs of each.

Inputs that once did anything else are kept as tests of what they broke.
"""

from dataclasses import replace

import pytest
from tests.guarantees.fuzzed_data import CONFIGS, CORRECTIONS, HASHES, HISTORIES, IDX, METRICS, NPZ, TABLES
from tests.guarantees.fuzzed_images import IMAGES
from tests.guarantees.fuzzed_models import MODELS, old_models
from tests.guarantees.fuzzing import Target, fuzz, proof_of

FILES = (NPZ, IDX, *CONFIGS, CORRECTIONS, HISTORIES, METRICS, HASHES)

FUZZ_MODELS = proof_of(MODELS, draws=40)
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
