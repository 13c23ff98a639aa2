"""Claim: a Distribution of 1,000,000 rows over ten outcomes answers P(E) in under 50 ms on two CPU cores.

Command: python benchmarks/distribution.py [--rows 1000000] [--repeats 21]

Every line is the median (and the slowest) of `repeats` calls after one to warm up, in milliseconds. The exit code is
1 if a median of P(E) for ten outcomes is 50 ms or more. Conditioning and construction are shown beside it, without a
claim.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from likely.probability.distribution import Distribution

LIMIT_MS = 50.0
NAMES = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def milliseconds(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times), max(times)


def softmax_rows(rows: int, columns: int, dtype: type) -> np.ndarray:
    scores = np.random.default_rng(0).standard_normal((rows, columns), dtype=np.float32).astype(dtype)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=21)
    options = parser.parse_args()
    print(f"command: python {' '.join(sys.argv)}")
    print(f"hardware: {processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}")
    print(f"versions: Python {platform.python_version()}, NumPy {np.__version__}")
    print(f"n: {options.rows} rows, {len(NAMES)} outcomes, {options.repeats} repeats")
    slowest = 0.0
    for dtype in (np.float32, np.float64):
        probs = softmax_rows(options.rows, len(NAMES), dtype)
        P = Distribution(NAMES, probs)
        print(f"\n{np.dtype(dtype).name:<34} median ms   slowest ms")
        for size in (1, 2, 3, 5, 9, 10):
            event = P.space.event(NAMES[:size])
            median, worst = milliseconds(lambda P=P, event=event: P(event), options.repeats)
            slowest = max(slowest, median)
            print(f"{f'  P(E), E of {size}':<34} {median:>9.1f}   {worst:>10.1f}")
        others = {
            "P(E given F), E of 3, F of 5": lambda P=P: P(NAMES[:3], given=NAMES[2:7]),
            "P.given(F), F of 5": lambda P=P: P.given(NAMES[2:7]),
            "Distribution(names, probs)": lambda probs=probs: Distribution(NAMES, probs),
            "P.entropy()": P.entropy,
        }
        for name, call in others.items():
            median, worst = milliseconds(call, max(options.repeats // 4, 1))
            print(f"  {name:<32} {median:>9.1f}   {worst:>10.1f}")
    print(f"\nslowest median of P(E): {slowest:.1f} ms (claim: under {LIMIT_MS:.0f} ms)")
    return int(slowest >= LIMIT_MS)


if __name__ == "__main__":
    raise SystemExit(main())
