"""Small files that unpack to much, and what is no file at all, are refused at every door."""

import gzip
import os
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import polars as pl
import pytest

from likely.config import load_config
from likely.data.corrections import apply_corrections
from likely.data.images.idx import read_idx
from likely.data.npz import open_npz
from likely.data.sources import open_dataset
from likely.data.tables.source_file import source_file
from likely.errors import ConfigError, DataError, LikelyError
from likely.model.init_from_file import read_start
from likely.model.run_folder import read_history


def test_a_small_archive_of_large_arrays(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros((2**20, 300), np.uint8), y=np.zeros(2**20, np.uint8))
    with pytest.raises(DataError, match="must unpack to at most 268,435,456 bytes, for its size; got 314,572,928"):
        open_npz(tmp_path / "x.npz")


def test_a_small_text_that_unpacks_to_much(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "x.csv.gz", "wb", compresslevel=1) as file:
        for _ in range(300):
            file.write(bytes(2**20))
    with pytest.raises(DataError, match="must unpack to at most 268,435,456 bytes"), source_file(tmp_path / "x.csv.gz"):
        pass


def test_a_text_that_a_small_table_holds_for_many_rows(tmp_path: Path) -> None:
    text = pl.Series("x", ["a" * 1_000_000]).new_from_index(0, 300)
    pl.DataFrame([text, pl.Series("y", ["a", "b"] * 150)]).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"must unpack to at most 268,435,456 bytes.*texts of over 1,000 bytes"):
        open_dataset(tmp_path / "x.parquet", label="y")


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (
            '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>',
            "1,048,576 rows and 16,384 columns apart",
        ),
        ('<row r="1048576"><c r="XFD1048576" s="1"/></row></sheetData>', ""),
        ("</sheetData>" + " " * 270_000_000, "must unpack to at most 268,435,456 bytes"),
    ],
)
def test_a_workbook_whose_cells_are_far_apart(after: str, said: str, tmp_path: Path) -> None:
    pl.DataFrame({"x": range(30), "y": ["a", "b"] * 15}).write_excel(tmp_path / "good.xlsx")
    path = tmp_path / "x.xlsx"
    with ZipFile(tmp_path / "good.xlsx") as good, ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as written:
        for name in good.namelist():
            content = good.read(name)
            if name.endswith("sheet1.xml"):
                content = content.replace(b"</sheetData>", after.encode())
            written.writestr(name, content)
    if said:  # its reader would end the process: it asks for 512 GB
        with pytest.raises(DataError, match=said):
            open_dataset(path, label="y")
    else:
        assert len(open_dataset(path, label="y").train) == 30


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has none")
def test_a_workbook_whose_packed_bytes_were_changed(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    pl.DataFrame({"x": range(30), "y": ["a", "b"] * 15}).write_excel(path)
    with ZipFile(path) as good:
        member = next(each for each in good.infolist() if each.filename.endswith("sheet1.xml"))
    begin = member.header_offset + 30 + len(member.filename)
    content = bytearray(path.read_bytes())
    content[begin : begin + 40] = b"\xff" * 40
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.xlsx must be a whole Excel file"):
        open_dataset(path, label="y")


def test_pipes_are_refused_before_they_are_opened(tmp_path: Path) -> None:
    digits = open_dataset("digits")
    for name, read in {
        "x.csv": open_dataset,
        "x.npz": open_npz,
        "x.any": open_dataset,
        "x.parquet": open_dataset,
        "t10k-images-idx3-ubyte": lambda path: read_idx(Path(path)),
        "x.toml": load_config,
        "corrections.csv": lambda path: apply_corrections(digits, path),
        "x.safetensors": lambda path: read_start(path, "all"),
    }.items():
        os.mkfifo(tmp_path / name)
        with pytest.raises(LikelyError, match="device, pipe or socket"):
            read(tmp_path / name)


def test_damaged_settings_and_records(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"data": "digits", "self": 1}')
    with pytest.raises(ConfigError, match="got 'self'"):
        load_config(tmp_path / "x.json")
    (tmp_path / "y.json").write_text('{"data": "digits", "epochs": 1e308}')
    with pytest.raises(ConfigError, match="epochs must be at most 1000000000"):
        load_config(tmp_path / "y.json")
    (tmp_path / "history.jsonl").write_bytes(b'{"step": 1}\n\xff\n')
    with pytest.raises(DataError, match="line 2 is none"):
        read_history(tmp_path)
