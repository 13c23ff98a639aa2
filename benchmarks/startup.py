"""How long it takes to start: the import, the help page, an answer to one image, beside what libraries take alone.

What is in the clock: a fresh process from start to end, files in the cache of the system. Every command takes its turn
in each round; medians.

    python benchmarks/startup.py MODEL [ROUNDS]                                    (default 7; about a minute)

MODEL is a model of images, such as a run of `likely fit fashion-mnist`; OUT.onnx is what `likely export` makes of it.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

import likely

LIBRARIES = "import numpy, onnxruntime, PIL.Image, typer"


def main() -> None:
    """Read the arguments, take turns, print a table."""
    model, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7
    predictor = likely.load(model)
    shape = predictor.image_shape
    assert shape is not None
    program = str(Path(sys.executable).with_name("likely"))
    with tempfile.TemporaryDirectory() as folder:
        image, exported = Path(folder) / "one.png", str(Path(folder) / "out.onnx")
        predictor.to_onnx(exported)
        Image.fromarray(np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)).save(image)
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "python -c 'import likely'": [sys.executable, "-c", "import likely"],
            "likely --help": [program, "--help"],
            f"python -c '{LIBRARIES}'": [sys.executable, "-c", LIBRARIES],
            "likely predict OUT.onnx one.png": [program, "predict", exported, str(image)],
            "python -c 'import torch'": [sys.executable, "-c", "import torch"],
            "likely predict MODEL one.png": [program, "predict", model, str(image)],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds + 1):
            for name, command in commands.items():
                began = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                times[name].append(time.perf_counter() - began)
    medians = {name: float(np.median(seconds[1:])) for name, seconds in times.items()}
    print("| command | s |\n|---|---|")
    for name, seconds in medians.items():
        print(f"| `{name}` | {seconds:.2f} |")
    beyond = medians["likely predict MODEL one.png"] - medians["python -c 'import torch'"]
    print(f"| an answer beyond torch's import | {beyond:.2f} |")


if __name__ == "__main__":
    main()
