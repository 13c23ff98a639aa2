from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from likely.metrics import Estimate, calibration_error, reliability_bins
from likely.metrics.evaluation import EmptySets, Evaluation, Range, SetFigures
from likely.report import page, statements
from likely.report.promise_sections import about_coverage


@given(st.integers(1, 5000), st.data(), st.sampled_from([0.9, 0.95, 0.999]))
def test_wilson_is_scipys(n, data, level):
    successes = data.draw(st.integers(0, n))
    theirs = scipy.stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    np.testing.assert_allclose(statements.wilson(successes, n, level), theirs, atol=1e-12)


@given(st.floats(0, 1))
def test_percent_is_right_and_never_pretends_certainty(share):
    text = statements.percent(share)
    value = float(text.strip("<>%")) / 100
    assert abs(value - share) <= 0.001
    assert (text == "0.0%") == (share == 0)
    assert (text == "100.0%") == (share == 1)


def test_entropies_are_scipys_over_several_blocks():
    probs = np.random.default_rng(0).dirichlet(np.ones(4), size=200_000)
    probs[0] = [1, 0, 0, 0]
    np.testing.assert_allclose(statements.entropies(probs), scipy.stats.entropy(probs, axis=1), atol=1e-12)


def test_bins_hold_every_row_and_give_the_calibration_error(digits):
    bins = statements.make_bins(reliability_bins(digits.probs, digits.y))
    assert sum(b.count for b in bins) == len(digits.y)
    assert all(b.interval[0] <= b.accuracy <= b.interval[1] for b in bins)
    gaps = sum(b.count * abs(b.accuracy - b.confidence) for b in bins) / len(digits.y)
    assert gaps == pytest.approx(calibration_error(digits.probs, digits.y))


def two_class(confidence, right, n):
    """n rows of one confidence, of which a share is right."""
    probs = np.tile([confidence, 1 - confidence], (n, 1))
    y = np.zeros(n, dtype=np.int64)
    y[: round(n * (1 - right))] = 1
    return y, probs


def reliability_sentence(*groups):
    pairs = [two_class(*group) for group in groups]
    y, probs = np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs])
    return statements.about_reliability(statements.make_bins(reliability_bins(probs, y)), "image")


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([(0.95, 0.95, 1000), (0.7, 0.7, 1000)], "face value"),
        ([(0.95, 0.70, 1000)], "strongly overconfident between 0.93 and 1.00 (says 95.0%, is right 70.0% of the time)"),
        ([(0.95, 0.93, 100_000)], "is slightly overconfident between 0.93 and 1.00"),
        ([(0.70, 0.62, 4000), (0.75, 0.67, 4000)], "is overconfident between 0.67 and 0.80"),
        ([(0.62, 0.70, 4000), (0.95, 0.85, 4000)], "underconfident between 0.60 and 0.67"),
        ([(0.7, 0.6, 10)], "10 images can show only large gaps"),
    ],
)
def test_reliability_in_words(groups, expected):
    assert expected in reliability_sentence(*groups)


@pytest.mark.parametrize(
    ("held_out", "expected"),
    [
        ([(1, 2.0), (2, 1.0), (3, 0.8), (4, 0.5)], "fell from 2 to 0.5 and was still falling"),
        ([(1, 2.0), (2, 0.5), (3, 0.5), (4, 0.499)], "fell from 2 to 0.499 and had leveled off"),
        ([(10, 2.0), (2000, 0.5), (3000, 0.9)], "lowest at step 2,000 (0.5) and then rose to 0.9"),
        ([(7, 0.25)], "was 0.25 after 7 steps"),
        ([(1, 2.0), (2, 1.0)], "still falling"),
    ],
)
def test_loss_in_words(held_out, expected):
    assert expected in statements.about_loss([(1, 3.0)], held_out)


def test_loss_in_words_without_held_out_rows():
    assert statements.about_loss([(1, 3.0), (1200, 1.0)], []) == "Training loss went from 3 to 1 in 1,200 steps."


def test_accuracy_in_words():
    assert statements.about_accuracy([(1, 0.5), (2, 0.9)]).endswith("from 50.00% to 90.00%, its best.")
    assert statements.about_accuracy([(1, 0.5), (9, 0.9), (12, 0.8)]).endswith("after a best of 90.00% at step 9.")


def test_curve_skips_what_is_not_a_finite_number():
    records = [{"step": 1, "loss": float("nan")}, {"step": 2, "loss": None}, {"step": 3}, {"step": 4, "loss": 1}]
    records.append({"step": 5, "loss": 2.5, "held_out": {"nll": 0.5}})
    assert statements.curve(records, "loss") == [(4, 1.0), (5, 2.5)]
    assert statements.curve(records, "held_out", "nll") == [(5, 0.5)]


def test_confusion_in_words():
    confusion = np.array([[5, 3, 0], [1, 9, 0], [0, 2, 0]])
    expected = "Most often confused: a taken for b (3 of 8); the other way round 1 of 10."
    assert statements.about_confusion(confusion, "abc", "row") == expected
    assert statements.confused_pairs(confusion, 10) == [(0, 1, 3, 8), (2, 1, 2, 2), (1, 0, 1, 10)]
    assert statements.about_confusion(np.diag([4, 4]), "ab", "image") == "No image was taken for another class."
    assert "more than once" in statements.about_confusion(np.array([[4, 1], [1, 4]]), "ab", "row")


def test_wrong_answers_in_words():
    probs = np.array([[0.95, 0.05], [0.6, 0.4], [0.1, 0.9]])
    expected = "2 of 3 rows got a wrong answer; 1 of these 2 (50%) had a probability of 90% or more."
    assert statements.about_wrong(np.array([1, 1, 1]), probs, "row") == expected
    assert statements.about_wrong(np.array([0, 0, 1]), probs, "row") == "No wrong answer among 3 rows."


def test_doubt_in_words():
    probs = np.tile([0.9, 0.1], (100, 1))
    probs[:10] = [0.55, 0.45]
    y = np.zeros(100, dtype=np.int64)
    y[:5] = 1
    text = statements.about_uncertain(y, probs, statements.entropies(probs), "image")
    assert text.startswith(
        "Low confidence indicates errors: in the least certain tenth of the images 50.0% of the answers are"
    )
    assert text.endswith("wrong, in the rest 0.0%.")
    assert "does not indicate errors" in statements.about_uncertain(0 * y, probs, statements.entropies(probs), "image")
    assert "0.33 nats" in statements.about_uncertain(y[-1:], probs[-1:], statements.entropies(probs[-1:]), "image")
    assert "from 0.33 to 0.69" in statements.about_uncertain(
        y[:15], probs[:15], statements.entropies(probs[:15]), "row"
    )


def test_classes_in_words():
    assert statements.about_classes([("a", 0.5), ("b", 0.75)]) == "Hardest: a (F1 0.500). Easiest: b (F1 0.750)."
    assert "equally hard" in statements.about_classes([("a", 0.5), ("b", 0.5)])
    assert "Only a" in statements.about_classes([("a", 0.5)])
    assert "No class" in statements.about_classes([])


def test_regression_in_words():
    y = np.arange(100.0)
    noise = np.tile([1.0, -1.0], 50)
    assert "neither too high nor too low" in statements.about_residuals(y, y + noise)
    assert "too high, by 5" in statements.about_residuals(y, y + noise + 5)
    assert "too low, by 5" in statements.about_residuals(y, y + noise - 5)
    assert "off by 2" in statements.about_residuals(y[:1], y[:1] + 2)
    assert "within 1 of the truth, 0.03 standard deviations" in statements.about_fit(y, y + noise)


def test_names_become_one_harmless_line():
    assert page.printable("Hemd & Hose 日本語 👟") == "Hemd & Hose 日本語 👟"
    assert page.printable("a\nb\x00\u202ec\udc80\u2028") == "a�b��c��"
    assert page.printable(7) == "7"


def test_the_calibration_error_is_said_with_its_interval_and_what_chance_would_show():
    found = Evaluation(
        n=1000,
        ece=Estimate(0.004, 0.0, 0.011),
        ece_plugin=0.0072,
        ece_floor=Estimate(0.0052, 0.003, 0.008),
        calibration_p=0.14,
        ece_classwise=Estimate(0.001, 0.0, 0.003),
    )
    text = statements.about_floor(found, "image")
    assert "0.40% (95% interval 0.00% to 1.10%)" in text
    assert "As counted it is 0.72%" in text
    assert "about 0.52%" in text
    assert "probability of 0.14" in text
    assert "no reason to doubt" in text
    assert "0.10% (0.00% to 0.30%) on average over the classes" in text
    assert "a miscalibration of the model" in statements.about_floor(replace(found, calibration_p=0.002), "image")
    assert "<0.01" in statements.about_floor(replace(found, calibration_p=0.002), "image")
    old = Evaluation(n=1000, ece=Estimate(0.1, 0.0, 0.2), ece_floor=Estimate(0.1, 0.0, 0.2))
    assert statements.about_floor(old, "row") == ""


def entry(coverage, expected, covered, share, without):
    one = Estimate(1.0, 1.0, 1.0)
    return SetFigures(coverage, Range(*expected), Estimate(*covered), one, (), EmptySets(share, Estimate(*without)))


def test_sets_that_hold_more_than_was_asked_for_are_said_to_and_why():
    kept = entry(0.95, (0.94, 0.96), (0.951, 0.946, 0.955), 0.0, (0.951, 0.946, 0.955))
    more = entry(0.8, (0.78, 0.82), (0.91, 0.90, 0.92), 0.12, (0.803, 0.79, 0.81))
    text = about_coverage([more, kept], "row")
    assert "as often as promised" not in text
    assert text.startswith(
        "At 80.0% the sets hold the truth more often than was asked for: for 91.0% of the test rows."
    )
    assert "That is because no set may be empty: 12.0% of them would be" in text
    assert "it would be 80.3%" in text
    assert "as often as promised" in about_coverage([kept], "row")
    tied = entry(0.8, (0.78, 0.82), (0.91, 0.90, 0.92), 0.0, (0.91, 0.90, 0.92))
    assert "empty" not in about_coverage([tied], "row")
    partly = entry(0.9, (0.88, 0.92), (0.97, 0.96, 0.98), 0.02, (0.95, 0.94, 0.96))
    text = about_coverage([more, partly], "row")
    assert text.startswith("At 80.0% and 90.0% the sets")
    assert "In part that is because no set may be empty: 12.0% and 2.0% of them" in text
    less = entry(0.99, (0.985, 0.994), (0.95, 0.94, 0.96), 0.0, (0.95, 0.94, 0.96))
    assert "less than promised" in about_coverage([more, less], "row")
