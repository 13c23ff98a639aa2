"""What a time limit buys: accuracy, NLL and the seconds that training and calibration took, over limits and seeds.

Claims, on a machine that does nothing else: training with calibration stays within 10% + 3 s of the limit, and a longer
limit is within 0.2 points of accuracy of every shorter one, or better (means over the seeds).

    python benchmarks/time_limit.py [--data fashion-mnist] [--limits 3s 5s 8s 12s 20s 30s 2m] [--seeds 0 1 2]

In the clock: `likely.training.fit.learn`, from rows in memory to a calibrated model. Reading, the figures on test rows
and the report are not. The default limits take twelve minutes on Fashion-MNIST. Exit code 1: a claim does not hold.
"""

import argparse
import os
import platform
import sys
import time

import numpy as np

from likely.config import RunConfig, parse_duration
from likely.training.evaluate import evaluate
from likely.training.fit import learn
from likely.training.open_data import open_data


def main() -> int:
    """Read the arguments, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--label", help="the column of a table with the answers")
    parser.add_argument("--limits", nargs="+", default=["3s", "5s", "8s", "12s", "20s", "30s", "2m"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options = parser.parse_args()

    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores; {options.data}\n")
    print("| limit | net | epochs | accuracy | NLL (nats) | seconds | at most | ended by |")
    print("|---|---|---|---|---|---|---|---|")
    means: list[float] = []
    good = True
    for text in options.limits:
        limit = parse_duration(text)
        allowed = 1.1 * limit + 3
        accuracies: list[float] = []
        for seed in options.seeds:
            config = RunConfig(data=options.data, label=options.label, time_limit=limit, seed=seed)
            dataset = open_data(config)
            began = time.perf_counter()
            learned = learn(dataset, config)
            seconds = time.perf_counter() - began
            assert dataset.test is not None
            found = evaluate(learned.predictor, dataset.test).evaluation
            assert found.accuracy is not None
            assert found.nll is not None
            card = learned.predictor.card
            accuracies.append(found.accuracy.value)
            net = f"{card.network.name} {card.network.settings.get('width', '')}".strip()
            print(
                f"| {text}, seed {seed} | {net} | {card.training.epochs:.2f} | {accuracies[-1]:.2%} | "
                f"{found.nll.value:.4f} | {seconds:.1f} | {allowed:.1f} | {learned.stopped} |",
                flush=True,
            )
            good &= seconds <= allowed
        best = max(means, default=0.0)
        means.append(float(np.mean(accuracies)))
        good &= means[-1] >= best - 0.002
        print(f"| {text}, mean | | | {means[-1]:.2%} | | | | |", flush=True)
    print(f"\n{'Both claims hold.' if good else 'A claim does NOT hold.'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
