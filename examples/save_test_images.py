"""Write a few Fashion-MNIST test images as PNG files, so that there is something to predict.

Usage: python examples/save_test_images.py FOLDER [HOW_MANY]
"""

import sys
from pathlib import Path

from PIL import Image

import likely


def main() -> None:
    """Read the arguments, write the images."""
    folder = Path(sys.argv[1])
    how_many = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    test = likely.open_dataset("fashion-mnist").test
    assert test is not None
    folder.mkdir(parents=True, exist_ok=True)
    for row in range(how_many):
        Image.fromarray(test.X[row]).save(folder / f"test-{row:04d}.png")


if __name__ == "__main__":
    main()
