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
    alone = [learned(seed) for seed in range(2)]
    with ThreadPoolExecutor(2) as pool:
        np.testing.assert_array_equal(list(pool.map(learned, range(2))), alone)


_FORK = """
import importlib.util, os, sys
import numpy as np
from likely.engines import create_engine
from likely.engines.protocol import Optimizer
from likely.networks import efficientnet_lite
from likely.networks.efficientnet_layout import EfficientNetLayout
from likely.networks.mlp import MLP
rng = np.random.default_rng(0)
images, asked = rng.normal(size=(8, 3, 64, 64)).astype(np.float32), {}

def random(shapes):
    return {name: rng.uniform(0, 0.1, shape).astype(np.float16) for name, shape in shapes.items()}

lite = EfficientNetLayout(64, 0.2, 0.5)
asked["efficientnet-lite"] = efficientnet_lite.answering(lite, random(lite.shapes)), images
if importlib.util.find_spec("transformers"):
    from likely.networks import transformers_network
    from likely.networks.transformers_layout import TransformersLayout
    resnet = {"embedding_size": 32, "hidden_sizes": [32, 64], "depths": [1, 1]}
    hf = TransformersLayout("resnet", resnet, 64, (0.0,) * 3, (1.0,) * 3, 0, "bilinear")
    asked["hf:"] = transformers_network.answering(hf, random(transformers_network.shapes(hf))), images

def answered():
    before = {name: answers(x) for name, (answers, x) in asked.items()}
    if (child := os.fork()) == 0:
        os._exit(not all(np.allclose(f(x), before[name], rtol=1e-3, atol=1e-3) for name, (f, x) in asked.items()))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

codes = [answered()]
mlp, rows = MLP([64, 512, 512, 3], "relu"), rng.normal(size=(4096, 64)).astype(np.float32)
options = {"head": "softmax", "loss": "cross_entropy", "optimizer": Optimizer(), "seed": 0}
asked = {"engine": (create_engine("torch", mlp, n_outputs=3, sample=rows[:2], **options).scores, rows)}
sys.exit(str(codes) if any([*codes, answered()]) else 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_forked_process_answers() -> None:
    """Backbones before there is an engine, then an engine."""
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive"}
    ran = subprocess.run([sys.executable, "-c", _FORK], env=environment, timeout=60, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a call of Linux")
def test_cores_are_those_that_the_process_may_use() -> None:
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    code += "from likely.config.processors import usable_cores; print(usable_cores())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "1"
    assert usable_cores() == len(os.sched_getaffinity(0))
