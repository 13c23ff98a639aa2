"""What the command line prints, piece by piece: escapes, columns, percentages, bars, events, writers, progress."""

import csv
import io
import json
import math
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from likely.cli.answer_columns import ANSWER as ANSWER_COLUMNS
from likely.cli.answer_columns import Columns
from likely.cli.answers import Answer, Failure, Given, Number
from likely.cli.progress import LiveWatcher, PlainWatcher, clock
from likely.cli.questions import Promises, read_events, read_numbers, read_questions
from likely.cli.result_tables import classes_table, figures_table
from likely.cli.terminal import aligned, bar, padded, printable
from likely.cli.text_writers import BarWriter, LineWriter
from likely.cli.writers import CsvWriter, JsonWriter
from likely.data.tables.spreadsheet import never_a_formula
from likely.errors import UnknownOutcomeError
from likely.metrics import Estimate
from likely.metrics.evaluation import ClassFigures, Evaluation
from likely.metrics.numerals import percent
from likely.probability.space import SampleSpace
from likely.training.loop.descent import Record

CLOTHES = ["T-shirt/top", "Coat", "Sandal", "Sneaker", "Ankle boot", "Hat, woolen"]
HOSTILE = "=1+1\x1b]0;owned\x07[bold red]:smile:\u202egnp\n.png"


@given(st.text())
def test_printable_text_has_no_control_character_and_one_line(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert all(unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") for c in shown)
    assert "\u202e" not in shown
    shown.encode()


@given(st.text(st.characters(categories=("L", "N", "P", "Zs"))))
def test_printable_text_without_control_characters_stays(text: str) -> None:
    assert printable(text) == text


@given(st.floats(0, 1))
def test_a_percentage_never_claims_certainty(p: float) -> None:
    shown = percent(p, 2)
    assert (shown == "0.00%") == (p == 0)
    assert (shown == "100.00%") == (p == 1)
    assert abs(float(shown.strip("<>%")) / 100 - p) <= 1e-4


@given(st.floats(0, 1), st.integers(1, 60), st.booleans())
def test_a_bar_is_as_long_as_its_share(share: float, columns: int, blocks: bool) -> None:
    assert abs(cell_len(bar(share, columns, blocks=blocks)) - share * columns) <= 1


def test_wide_characters_are_padded_to_the_same_columns() -> None:
    assert cell_len(padded("外套", 10)) == cell_len(padded("coat", 10)) == 10


def test_columns_line_up_for_wide_labels() -> None:
    text = aligned([["label", "rows"], ["外套", "1"], ["coat", "20"]], right=True).plain
    assert len({cell_len(line) for line in text.splitlines()}) == 1


def test_figures_and_classes_are_named_with_their_intervals() -> None:
    figure, unknown = Estimate(0.9312, 0.9263, 0.936), Estimate(math.nan, math.nan, math.nan)
    text = figures_table(Evaluation(n=10000, accuracy=figure, nll=figure, r2=unknown, confusion=((1,),))).plain
    assert "10,000" in text
    assert re.search(r"accuracy +93\.12% +92\.63% to 93\.60%", text)
    assert re.search(r"NLL +0\.9312 nats +0\.9263 to 0\.936", text)
    assert re.search(r"R² +- +- to -", text)
    assert "confusion" not in text
    rows = [ClassFigures("a\x1b", 0.5, math.nan, 0.25, 1200)]
    assert re.search(r"a\\x1b +50\.00% +- +25\.00% +1,200", classes_table(rows).plain)


def test_classes_of_too_few_rows_get_a_star_and_the_floor_stands_below_the_ece() -> None:
    few, enough = ClassFigures("a", 0.5, 0.5, 0.5, 12, too_few=True), ClassFigures("a", 0.5, 0.5, 0.5, 40)
    text = classes_table([few, enough]).plain
    lines = text.splitlines()
    assert lines[1].endswith(" 12*")
    assert lines[2].endswith(" 40")
    assert lines[3] == "  * too few examples to tell"
    assert "*" not in classes_table([enough]).plain
    figure = Estimate(0.01, 0.005, 0.02)
    table = figures_table(Evaluation(n=10, ece_mass=figure, ece_floor=figure, ece=figure, accuracy=figure)).plain
    order = [table.index(words) for words in ("accuracy", "ECE (15 bins)", "if calibrated", "ECE (equal mass)")]
    assert order == sorted(order)
    assert re.search(r"if calibrated +1\.00% +0\.50% to 2\.00%", table)
    table = figures_table(Evaluation(n=10, ece=figure, ece_plugin=0.015, calibration_p=0.31)).plain
    assert re.search(
        r"ECE \(15 bins\) +1\.00% +0\.50% to 2\.00%\n +as counted +1\.50%\n +p-value of calibrated +0\.31$", table
    )


def test_events_are_read_with_quotes_spaces_and_commas() -> None:
    space = SampleSpace(CLOTHES)
    asked = read_questions(space, ['footwear=Sandal, Sneaker,"Ankle boot"', 'warm="Hat, woolen", Coat'], "Coat")
    assert asked.events["footwear"] == space.event("Sandal", "Sneaker", "Ankle boot")
    assert asked.events["warm"] == space.event("Hat, woolen", "Coat")
    assert read_events(['a="5"" pipe", "Hat, ""woolen"""']) == {"a": ['5" pipe', 'Hat, "woolen"']}
    assert read_numbers('"Hat, woolen"=0.25,Coat = 0.75', "--prior") == {"Hat, woolen": 0.25, "Coat": 0.75}
    assert read_numbers('"Hat, woolen=0.25", Coat=0.75', "--prior") == {"Hat, woolen": 0.25, "Coat": 0.75}
    assert asked.given == space.event("Coat")
    assert read_questions(space, [], None).given is None


@pytest.mark.parametrize(
    "text", ["footwear", "=Sandal", "footwear=", "footwear=Sandal,,Coat", 'a="Sandal', "a=Sandal\nCoat"]
)
def test_an_event_that_is_none_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        read_questions(SampleSpace(CLOTHES), [text], None)


def test_two_events_of_one_name_are_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter, match="two events"):
        read_questions(SampleSpace(CLOTHES), ["a=Coat", "a=Sandal"], None)


@pytest.mark.parametrize(("events", "condition"), [(["a=Sandl"], None), ([], "Sandl")])
def test_an_unknown_label_names_the_nearest(events: list[str], condition: str | None) -> None:
    with pytest.raises(UnknownOutcomeError, match="Sandal"):
        read_questions(SampleSpace(CLOTHES), events, condition)


ANSWER = Answer("boot.png", {"Coat": 0.25, "Sandal": 0.75}, {"foot": 0.75})
CONDITIONED = Answer(
    "boot.png",
    {"Coat": 0.25, "Sandal": 0.75},
    {"foot": 0.75},
    Given(["Coat"], 0.25, {"Coat": 1.0, "Sandal": 0.0}, {"foot": 0.0}),
)


def test_json_is_a_list_of_documents(capsys: pytest.CaptureFixture[str]) -> None:
    writer = JsonWriter()
    one, two = Number("a.png", [1.5], 0.5, 2.5, 0.75, False), Number("b.png", [1.5, 2.5])
    for outcome in (ANSWER, Failure(HOSTILE, "no"), one, two, CONDITIONED):
        writer.write(outcome)
    writer.close()
    written = capsys.readouterr().out
    assert written.isascii()
    assert "\x1b" not in written
    plain = {"image": "boot.png", "label": "Sandal", "probability": 0.75}
    plain |= {"probabilities": {"Coat": 0.25, "Sandal": 0.75}, "set": None, "abstained": None}
    plain |= {"familiarity": None, "events": {"foot": 0.75}}
    unknown = dict.fromkeys(("low", "high", "familiarity", "outside_range"))
    given_ = {
        "labels": ["Coat"],
        "probability": 0.25,
        "probabilities": {"Coat": 1.0, "Sandal": 0.0},
        "events": {"foot": 0.0},
    }
    assert json.loads(written) == [
        plain,
        {"image": HOSTILE, "error": "no"},
        {"image": "a.png", "prediction": 1.5, "low": 0.5, "high": 2.5, "familiarity": 0.75, "outside_range": False},
        {"image": "b.png", "prediction": [1.5, 2.5], **unknown},
        {**plain, "given": given_},
    ]


def test_json_of_nothing_is_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    JsonWriter().close()
    assert json.loads(capsys.readouterr().out) == []


def test_csv_has_one_row_per_image_and_full_precision(capsys: pytest.CaptureFixture[str]) -> None:
    writer = CsvWriter(Columns("image", ANSWER_COLUMNS, ["Coat", "Sandal", "foot"]))
    third = Answer("a, b.png", {"Coat": 1 / 3, "Sandal": 2 / 3}, {"foot": 2 / 3})
    for outcome in (third, Failure("c.png", "empty")):
        writer.write(outcome)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["image"] for row in rows] == ["a, b.png", "c.png"]
    assert float(rows[0]["Coat"]) == 1 / 3
    assert rows[0]["label"] == "Sandal"
    assert rows[0]["error"] == ""
    assert rows[1]["error"] == "empty"
    assert rows[1]["Coat"] == rows[1]["label"] == ""


def test_csv_of_conditions_and_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    CsvWriter(Columns("image", ANSWER_COLUMNS, ["Coat", "Sandal", "foot"], given=True)).write(CONDITIONED)
    [row] = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert float(row["P(given)"]) == 0.25
    assert (float(row["Coat given"]), float(row["foot given"])) == (1.0, 0.0)
    CsvWriter(Columns("image", {"prediction": "number"})).write(Number("a.png", [-1.5]))
    [row] = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["prediction"] == "-1.5"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_cells_cannot_be_formulas(start: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"{start}cmd|' /C calc'!A0"
    writer = CsvWriter(Columns("image", ANSWER_COLUMNS, [text]))
    writer.write(Answer(text, {text: 1.0}, {}))
    writer.write(Failure(text, f"{text}: no"))
    header, answer, failure = csv.reader(io.StringIO(capsys.readouterr().out))
    for cell in (header[-1], answer[0], answer[1], failure[0], failure[6]):
        assert cell.startswith("'")


def test_csv_holds_numbers_and_labels_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    labels = ["-1", "+1", "-1.5e3", "-", "+", "a; b", 'say "x"', "two\nlines", "\u200fword", "=1", "'=1"]
    writer = CsvWriter(Columns("row", ANSWER_COLUMNS, labels))
    for row, label in enumerate(labels):
        probabilities = {name: 0.5 if name == label else 0.5 / (len(labels) - 1) for name in labels}
        writer.write(Answer(row, probabilities, {}, set=labels))
    header, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    written = [*labels[:-2], "'=1", "''=1"]
    assert header[7:] == written
    assert [row[1] for row in rows] == written
    [listed] = csv.reader(io.StringIO(rows[0][3], newline=""), delimiter=";", skipinitialspace=True)
    assert listed == written


@given(st.lists(st.text(st.sampled_from("ae=-'1P()\n"), min_size=1, max_size=4), min_size=2, max_size=6), st.booleans())
def test_no_heading_is_there_twice(labels: list[str], conditional: bool) -> None:
    names = [*labels, "error", "label", "P(error)", "row", "set", "P(given)", "probability", "familiarity", *labels]
    columns = Columns("row", ANSWER_COLUMNS, names, given=conditional)
    headings = list(columns.headings(never_a_formula))
    assert len(set(headings)) == len(headings) == len(columns.cells(Failure(0, "no")))
    assert headings[:7] == ["row", *ANSWER_COLUMNS, "error"]
    assert headings[7 : 7 + len(names)][labels.index(labels[-1])] == never_a_formula(labels[-1])
    assert headings[7 + len(labels)] == "P(P(error))"  # since a label P(error) keeps its name


def test_one_line_per_row_with_the_digits_that_tell_rows_apart(capsys: pytest.CaptureFixture[str]) -> None:
    writer = LineWriter(Promises(0.9, 0.01, error_was_asked=True))
    unsure = Answer(9, {"Coat": 0.25, "Hat": 0.75}, {"foot": 1.0}, set=["Coat", "Hat"], abstained=True, familiarity=0.5)
    strange = Answer(10, {"Coat": 1.0, "Hat": 0.0}, {"foot": 0.5}, set=["Coat"], abstained=False, familiarity=0.001)
    for outcome in (unsure, Failure(11, "no"), strange):
        writer.write(outcome)
    writer.close()
    assert capsys.readouterr().out.splitlines() == [
        "row 9   Hat    75.00%  P(foot) = 100.00%  90.00% set: Coat, Hat  no answer: confidence too low",
        "row 10  Coat  100.00%  P(foot) =  50.00%  90.00% set: Coat  unfamiliar (p = 0.001)",
    ]
    numbers = LineWriter(Promises(0.9), [1e8])
    for row in range(3):
        numbers.write(Number(row, [1.7e9 + row / 100], 1.6e9, 1.8e9, outside_range=row == 2))
    numbers.close()
    lines = capsys.readouterr().out.splitlines()
    assert len({line.split()[2] for line in lines}) == 3
    assert lines[2].endswith("90.00% interval: 1600000000 to 1800000000  outside the range of the training targets")


def test_the_table_shows_hostile_names_as_they_are_spelled(capsys: pytest.CaptureFixture[str]) -> None:
    BarWriter(3, Promises()).write(Answer(HOSTILE, {"[red]": 0.9, "a\x1b[2J": 0.1}, {"[e]": 0.5}))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == r"=1+1\x1b]0;owned\x07[bold red]:smile:\u202egnp\n.png"
    assert lines[1].startswith("  [red]")
    assert r"a\x1b[2J" in lines[2]
    assert "P([e])" in lines[3]


def test_the_table_says_what_is_not_answered_if_asked(capsys: pytest.CaptureFixture[str]) -> None:
    unsure = Answer("a.png", {"Coat": 0.5, "Sandal": 0.5}, {}, set=["Coat", "Sandal"], abstained=True, familiarity=0.5)
    BarWriter(1, Promises(0.9, 0.01, error_was_asked=True)).write(unsure)
    assert capsys.readouterr().out.splitlines()[0] == "a.png  no answer: confidence too low"
    BarWriter(1, Promises(0.9, 0.01)).write(unsure)
    heading, _, line = capsys.readouterr().out.splitlines()
    assert (heading, line) == ("a.png", "  90.00% set: Coat, Sandal")


def test_the_table_shows_the_top_and_never_breaks_a_long_name(capsys: pytest.CaptureFixture[str]) -> None:
    name = "images/" + "x" * 300 + ".png"
    BarWriter(1, Promises()).write(Answer(name, {"Coat": 0.25, "Sandal": 0.75}, {"foot": 1.0}))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == name
    assert re.fullmatch(r"  Sandal    75\.00%  █{15}", lines[1])
    assert re.fullmatch(r"  P\(foot\)  100\.00%  █{20}", lines[2])
    assert len(lines) == 3


def test_the_table_shows_conditional_probabilities_beside_the_condition(capsys: pytest.CaptureFixture[str]) -> None:
    BarWriter(1, Promises()).write(CONDITIONED)
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "boot.png  given Coat: P(given) = 25.00%"
    assert second.split() == ["Coat", "100.00%", "█" * 20]
    assert third.split() == ["P(foot)", "0.00%"]


def test_bars_fall_back_to_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii", write_through=True) as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        BarWriter(1, Promises()).write(Answer("a.png", {"Coat": 1.0}, {}))
        assert raw.getvalue().decode("ascii").splitlines()[1].endswith("#" * 20)


def records(epochs: int, per_epoch: int) -> Iterator[Record]:
    total = epochs * per_epoch
    for step in range(1, total + 1):
        held_out = {"accuracy": 0.9, "nll": 0.3} if step % per_epoch == 0 else None
        yield Record(
            step, step / per_epoch, step / total, 0.5, 0.01, float(step), 1000.0, float(total - step), held_out
        )


def lines_of(talk: Callable[[PlainWatcher], None]) -> list[str]:
    stream = io.StringIO()
    watcher = PlainWatcher(stream)
    talk(watcher)
    watcher.close()
    return stream.getvalue().splitlines()


def test_plain_progress_has_one_line_per_epoch() -> None:
    lines = lines_of(lambda watcher: [watcher.record(record) for record in records(3, 20)] and None)
    assert [line.split("  ")[0] for line in lines] == ["epoch 1.0", "epoch 2.0", "epoch 3.0"]
    assert lines[0] == "epoch 1.0  loss 0.5000  held-out accuracy 90.00%  0:40 left  1,000/s"


def test_plain_progress_of_many_epochs_stays_short() -> None:
    lines = lines_of(lambda watcher: [watcher.record(record) for record in records(400, 2)] and None)
    assert 20 <= len(lines) <= 30
    assert lines[-1].startswith("epoch 400.0")


def test_plain_progress_tells_where_an_interrupted_run_ended() -> None:
    def talk(watcher: PlainWatcher) -> None:
        for record in records(3, 20):
            if record.step <= 30:
                watcher.record(record)

    assert [line.split("  ")[0] for line in lines_of(talk)] == ["epoch 1.0", "epoch 1.5"]


def test_plain_progress_of_a_long_epoch_has_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def talk(watcher: PlainWatcher) -> None:
        for record in records(1, 30):
            now[0] += 1
            watcher.record(record)

    lines = lines_of(talk)
    assert [line.split("  ")[0] for line in lines] == [f"epoch {step / 30:.1f}" for step in (5, 10, 15, 20, 25, 30)]


def test_plain_progress_of_several_runs_begins_anew() -> None:
    def talk(watcher: PlainWatcher) -> None:
        for _ in range(2):
            for record in records(2, 5):
                watcher.record(record)

    assert len(lines_of(talk)) == 4


def test_plain_progress_of_a_download_has_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def talk(watcher: PlainWatcher) -> None:
        for done in range(0, 1201, 100):
            watcher.loading("train-images", done, 1200)
            now[0] += 1

    amounts = ["500", "1,000", "1,200"]
    assert lines_of(talk) == [f"train-images: {amount} of 1,200" for amount in amounts]


def test_plain_progress_says_nothing_of_what_is_quickly_read() -> None:
    def talk(watcher: PlainWatcher) -> None:
        for done in range(101):
            watcher.loading("images", done, 100)

    assert lines_of(talk) == []


def test_plain_progress_survives_a_reader_that_has_gone() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    watcher = PlainWatcher(Gone())
    watcher.say("one")
    watcher.say("two")
    watcher.close()


def test_live_progress_redraws_and_leaves_only_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    watcher = LiveWatcher()
    watcher.loading("[red]file", 50, 100)
    watcher.say("[bold]3 rows\x1b[2J")
    for record in records(2, 2):
        watcher.record(record)
    watcher.close()
    drawn = stream.getvalue()
    assert "[bold]3 rows\\x1b[2J" in drawn
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn)
    assert "[red]file" in plain
    assert "held-out accuracy 90.00%" in plain
    assert "0:00 left" in plain
    assert max(cell_len(line) for line in plain.replace("\r", "\n").splitlines()) <= 100


def test_clock_of_days() -> None:
    assert clock(0.4) == "0:00"
    assert clock(59.9) == "1:00"
    assert clock(90_000) == "25:00:00"
