"""Torch in several threads and after a fork: the answers of one thread, in finite time."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from likely import Classifier
from likely.config.processors import usable_cores

X = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
y = np.arange(60) % 3


def learned(seed: int) -> np.ndarray:
    return Classifier(network="conv", epochs=2, random_state=seed).fit(X, y).predict_proba(X)


@pytest.mark.filterwarnings("ignore::likely.errors.GuaranteeWarning")
def test_fits_in_threads_are_those_of_one_thread() -> None:
    alone = [learned(seed) for seed in range(3)]
    with ThreadPoolExecutor(3) as pool:
        np.testing.assert_array_equal(list(pool.map(learned, range(3))), alone)


_FORK = """
import os, sys
import numpy as np
from likely.engines import create_engine
from likely.engines.protocol import Optimizer
from likely.networks.mlp import MLP
engine = create_engine(
    "torch", MLP([64, 512, 512, 3], "relu"), n_outputs=3, head="softmax", loss="cross_entropy", seed=0,
    optimizer=Optimizer(), sample=np.zeros((2, 64), np.float32),
)
X = np.random.default_rng(0).normal(size=(4096, 64)).astype(np.float32)
before = engine.scores(X)
child = os.fork()
if child == 0:
    os._exit(0 if np.allclose(engine.scores(X), before, atol=1e-5) else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_forked_process_answers() -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive"}
    ran = subprocess.run([sys.executable, "-c", _FORK], env=environment, timeout=60, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a call of Linux")
def test_cores_are_those_that_the_process_may_use() -> None:
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    code += "from likely.config.processors import usable_cores; print(usable_cores())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "1"
    assert usable_cores() == len(os.sched_getaffinity(0))
