"""How fast tables are read, and how much memory that takes, beside Python's own csv module and float().

    python benchmarks/tables_io.py [--rows 1000000] [--columns 20] [--wide 100000]

Every reading is a process of its own, so that its peak memory is its own; times are processor seconds.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

LIKELY = """
import time
from likely.data.sources import open_dataset
began = time.process_time()
rows = open_dataset({path!r}, label="label").train
print(time.process_time() - began, len(rows))
"""
CSV = """
import csv, time
import numpy as np
began = time.process_time()
with open({path!r}, newline="") as file:
    reader = csv.reader(file)
    next(reader)
    rows = np.array([[float(cell) for cell in row[:-1]] for row in reader])
print(time.process_time() - began, len(rows))
"""


def write(path: Path, rows: int, columns: int) -> None:
    """Numbers with six digits, and a label of two words."""
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        file.write(",".join(f"c{j}" for j in range(columns)) + ",label\n")
        for start in range(0, rows, 10_000):
            values = rng.normal(size=(min(10_000, rows - start), columns)).round(6)
            file.writelines(f"{','.join(map(repr, row))},{'yes' if row[0] > 0 else 'no'}\n" for row in values.tolist())


def measured(program: str, path: Path) -> tuple[float, float]:
    """Processor seconds of the reading, and the peak memory of its process in bytes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    said = subprocess.run(
        [sys.executable, "-c", program.format(path=str(path))], capture_output=True, text=True, check=True
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return float(said.stdout.split()[0]), 1024.0 * peak if peak > before else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--wide", type=int, default=100_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wide.csv"
        write(path, 60, args.wide)
        print(f"60 rows of {args.wide:,} columns: {measured(LIKELY, path)[0]:.1f} s")
        path = Path(folder) / "long.csv"
        write(path, args.rows, args.columns)
        size = 8 * args.rows * args.columns
        began = time.perf_counter()
        ours, peak = measured(LIKELY, path)
        print(f"{args.rows:,} rows of {args.columns} columns, {path.stat().st_size / 2**20:,.0f} MiB:")
        print(
            f"  likely  {ours:6.1f} s of processor, {time.perf_counter() - began:.1f} s; "
            f"peak {peak / size:.1f} x the float64 table"
        )
        theirs, _ = measured(CSV, path)
        print(f"  csv     {theirs:6.1f} s, {theirs / ours:.1f} x as long")


if __name__ == "__main__":
    main()
