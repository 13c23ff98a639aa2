"""How fast tables are read, and how much memory that takes, beside Python's own csv module and float().

    python benchmarks/tables_io.py [--rows 1000000 10000000] [--columns 20] [--wide 100000] [--wide-rows 20 200] [--csv]

Every reading is a process of its own, so that its peak memory is its own. While a piece of a text is made numbers, the
next one is read: on two cores it takes less time than the processor does.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

LIKELY = """
import resource, time
from likely.data.sources import open_dataset
began, busy = time.perf_counter(), time.process_time()
rows = open_dataset({path!r}, label="label").train
print(time.perf_counter() - began, time.process_time() - busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
CSV = """
import csv, resource, time
import numpy as np
began, busy = time.perf_counter(), time.process_time()
with open({path!r}, newline="") as file:
    reader = csv.reader(file)
    next(reader)
    rows = np.array([[float(cell) for cell in row[:-1]] for row in reader])
print(time.perf_counter() - began, time.process_time() - busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def write(path: Path, rows: int, columns: int) -> None:
    """Numbers with six digits, and a label of two words."""
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        file.write(",".join(f"c{j}" for j in range(columns)) + ",label\n")
        for start in range(0, rows, 10_000):
            values = rng.normal(size=(min(10_000, rows - start), columns)).round(6)
            file.writelines(f"{','.join(map(repr, row))},{'yes' if row[0] > 0 else 'no'}\n" for row in values.tolist())


def measured(program: str, path: Path) -> tuple[float, float, float]:
    """Seconds and processor seconds of the reading, and the peak memory of its process in bytes."""
    said = subprocess.run(
        [sys.executable, "-c", program.format(path=str(path))], capture_output=True, text=True, check=True
    )
    seconds, busy, peak = map(float, said.stdout.split())
    return seconds, busy, 1024 * peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, nargs="*", default=[1_000_000], help="of long tables; 10000000 shows memory"
    )
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--wide", type=int, default=100_000, help="columns of wide tables")
    parser.add_argument("--wide-rows", type=int, nargs="*", default=[20, 200])
    parser.add_argument("--csv", action="store_true", help="also Python's csv and float()")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        for rows, columns in [*((rows, args.wide) for rows in args.wide_rows), *((r, args.columns) for r in args.rows)]:
            write(path, rows, columns)
            seconds, busy, peak = measured(LIKELY, path)
            print(
                f"{rows:,} rows of {columns:,} columns, {path.stat().st_size / 2**20:,.0f} MiB: {seconds:.1f} s, "
                f"{busy:.1f} s of processor; peak {peak / 2**20:,.0f} MiB, {peak / (8 * rows * columns):.1f} x the "
                "float64 table"
            )
            if args.csv:
                theirs, *_ = measured(CSV, path)
                print(f"  csv {theirs:.1f} s, {theirs / seconds:.1f} x as long")


if __name__ == "__main__":
    main()
