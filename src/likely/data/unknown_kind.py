"""Files of kinds that can't be learned from: what each is, and how to get a table or images from it."""

from pathlib import Path

from likely.config.pipes import refuse_pipes
from likely.data.images.paths_and_globs import SUFFIXES as IMAGES
from likely.data.tables.suffixes import KINDS_READ
from likely.errors import DataError

_SHEET = "Save the sheet as {stem}.xlsx or {stem}.csv"
_PANDAS = 'Try import pandas; pandas.%s("{name}").to_parquet("{stem}.parquet") in Python'
_ARRAYS = 'Save its arrays X and y with numpy.savez("{stem}.npz", X=X, y=y) in Python'
_R = 'Try write.csv(%s, "{stem}.csv", row.names = FALSE) in R'
_COPY = "Copy its table into a spreadsheet and save that as {stem}.csv"
_EXPORT = "Export the table as {stem}.csv or {stem}.parquet"
_JSON_LINES = (
    'Save a row per line: import pandas; pandas.read_json("{name}").to_json("{stem}.jsonl", orient="records", '
    "lines=True) in Python"
)

_ENDINGS = (
    (".xlsb .xlsm", "an Excel workbook of another kind", _SHEET),
    (".ods .fods", "an OpenDocument spreadsheet", _SHEET),
    (".numbers", "a Numbers spreadsheet", _SHEET),
    (".json", "one JSON document", _JSON_LINES),
    (".sav .zsav .por", "SPSS data", _PANDAS % "read_spss"),
    (".dta", "Stata data", _PANDAS % "read_stata"),
    (".sas7bdat .xpt", "SAS data", _PANDAS % "read_sas"),
    (".orc", "an ORC table", _PANDAS % "read_orc"),
    (".xml", "XML", _PANDAS % "read_xml"),
    (
        ".avro",
        "an Avro table",
        'Try import polars; polars.read_avro("{name}").write_parquet("{stem}.parquet") in Python',
    ),
    (".arff", "ARFF data of Weka", "Save it as {stem}.csv in Weka, or read it with scipy.io.arff in Python"),
    (".rds", "R data", _R % 'readRDS("{name}")'),
    (".rdata .rda", "R data", _R % 'get(load("{name}"))'),
    (".h5 .hdf5 .hdf .nc", "an HDF5 file", f"{_ARRAYS}, or use pandas.read_hdf and to_parquet if pandas wrote it"),
    (".npy", "a NumPy array", _ARRAYS),
    (".mat", "MATLAB data", f"Read it with scipy.io.loadmat. {_ARRAYS}"),
    (".pkl .pickle .joblib .pt .pth", "a pickle, which could run any code", _EXPORT),
    (".db .sqlite .sqlite3", "an SQLite database", 'Try sqlite3 -csv -header {name} "SELECT * FROM ..." > {stem}.csv'),
    (".duckdb .mdb .accdb .sql", "a database", _EXPORT),
    (".pdf", "a PDF document", _COPY),
    (".docx .doc .odt .rtf .pages .md .tex .html .htm", "a document", _COPY),
    (".pptx .ppt .odp", "slides", _COPY),
    (".zip .7z .rar .tar .tgz", "an archive", "Unpack it and name the folder or table that was inside"),
    (".zst .lz4 .lzma .z .br", "a file packed in another way", "Unpack it and name what was inside"),
    (" ".join(IMAGES), "an image", "Try its folder, with a folder of images for each class"),
    (".heic .heif .avif .svg", "an image of another kind", "Save images as PNG or JPEG, in a folder for each class"),
    (".likely", "a model", "Name the data: likely fit DATA, likely predict MODEL DATA"),
)
_KINDS = {ending: (kind, way) for endings, kind, way in _ENDINGS for ending in endings.split()}

_BEGINNINGS = {
    b"PAR1": ("Parquet under another name", "Call it {stem}.parquet"),
    b"ARROW1": ("Arrow under another name", "Call it {stem}.feather"),
    b"\x1f\x8b": ("packed by gzip", "Call it {stem}.csv.gz if CSV is inside"),
    b"BZh": ("packed by bzip2", "Call it {stem}.csv.bz2 if CSV is inside"),
    b"\xfd7zXZ": ("packed by xz", "Call it {stem}.csv.xz if CSV is inside"),
    b"PK\x03\x04": ("an archive or a document", "Call it {stem}.xlsx if it is a workbook, or unpack it"),
    b"\xd0\xcf\x11\xe0": ("an Office document", "Call it {stem}.xls if it is a workbook"),
    b"SQLite format 3": _KINDS[".db"],
    b"\x89HDF": _KINDS[".h5"],
    b"%PDF": _KINDS[".pdf"],
    b"$FL": _KINDS[".sav"],
    b"<stata_dta": _KINDS[".dta"],
    b"\x93NUMPY": _KINDS[".npy"],
}


def unknown_kind(path: Path) -> DataError:
    """What to say of a file that can't be learned from: what it is, by its ending or else by its first bytes.

    Example:
        >>> print(unknown_kind(Path("survey.dta")))  # doctest: +ELLIPSIS
        survey.dta must be a table (.csv, ...), an .npz, or ...; got a single file: Stata data. Try import pandas; ...
    """
    refuse_pipes(path)
    kind, way = _KINDS.get(path.suffix.lower()) or _by_content(path)
    way = way.replace("{name}", path.name).replace("{stem}", path.name.strip(".").split(".")[0])
    return DataError(
        f"{path} must be a table ({KINDS_READ}), an .npz, or a folder of class folders or IDX files; got a single "
        f"file: {kind}. {way}."
    )


def _by_content(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        begin = file.read(4096)
    for mark, found in _BEGINNINGS.items():
        if begin.startswith(mark):
            return found
    ending = f"with the ending {path.suffix}" if path.suffix else "without an ending"
    if not begin:
        return f"an empty one {ending}", "Check that it was written out"
    if b"\0" in begin:
        return f"binary data {ending}", _EXPORT
    return f"text {ending}", "Call it {stem}.csv if it is a table with a row per line"
