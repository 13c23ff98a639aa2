"""Importing and fitting leave the process as it was: what belongs to everybody is nobody's to change."""

import json
import subprocess
import sys

import pytest

STATE = """
import json, locale, logging, os, random, signal, sys, warnings
import matplotlib, numpy as np, torch
# What others change when they are imported is theirs.
import jax, optax, scipy.optimize, scipy.stats, sklearn.base, sklearn.metrics, sklearn.utils.validation

def state():
    smallest = torch.tensor(torch.finfo(torch.float32).tiny)
    return {
        "threads": torch.get_num_threads(),
        "torch's defaults": [str(torch.get_default_dtype()), torch.is_grad_enabled(), torch.backends.cudnn.benchmark,
                             torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision()],
        "denormal numbers": (smallest / 2).item() == 0,
        "torch's random state": torch.get_rng_state().tolist(),
        "NumPy's random state": [np.asarray(part).tolist() for part in np.random.get_state()],
        "Python's random state": str(random.getstate()),
        "NumPy's errors": np.geterr(),
        "NumPy's printing": str(np.get_printoptions()),
        "warnings": [str(entry) for entry in warnings.filters],
        "figures": dict((name, str(value)) for name, value in matplotlib.rcParams.items()),
        "backend": matplotlib.rcParams._get("backend") is None or str(matplotlib.rcParams._get("backend")),
        "logging": [logging.root.level, logging.root.disabled, [str(h) for h in logging.root.handlers]],
        "environment": dict(os.environ),
        "signals": [str(signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM)],
        "locale": locale.setlocale(locale.LC_ALL),
        "folder": os.getcwd(),
        "hooks": [str(sys.excepthook), str(sys.displayhook), sys.getrecursionlimit()],
    }

before = json.loads(json.dumps(state()))
"""
FITS = {
    "import": "import likely; [getattr(likely, name) for name in likely.__all__]",
    "numbers": "likely.Classifier(random_state=0, epochs=2).fit(X, y).predict_proba(X)",
    "linear": "likely.Classifier(network='linear', random_state=0).fit(X, y).predict_set(X)",
    "images": "likely.Classifier(random_state=0, epochs=1).fit(IMAGES, y).familiarity(IMAGES)",
    "jax": "likely.Classifier(engine='jax', random_state=0, epochs=2).fit(X, y).predict(X)",
    "regression": "likely.Regressor(random_state=0, epochs=2).fit(X, X[:, 0]).predict(X)",
}


@pytest.mark.parametrize("denormals", [False, True])
def test_nothing_that_belongs_to_the_process_changes(denormals: bool) -> None:
    code = [
        "import torch",
        f"torch.set_flush_denormal({denormals})",
        STATE,
        "import likely, likely.estimators",
        "rng = np.random.default_rng(0)",
        "X, y = rng.normal(size=(120, 4)), np.arange(120) % 3",
        "IMAGES = rng.integers(0, 256, (120, 8, 8), dtype=np.uint8)",
        "changed = {}",
    ]
    for name, fit in FITS.items():
        code += [fit, "now = json.loads(json.dumps(state()))"]
        code += [f"changed[{name!r}] = [what for what in now if now[what] != before[what]]"]
    code.append("print('answer:', json.dumps(changed))")
    run = subprocess.run([sys.executable, "-c", "\n".join(code)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    answer = next(line for line in run.stdout.splitlines() if line.startswith("answer:"))
    assert json.loads(answer.removeprefix("answer:")) == {name: [] for name in FITS}
