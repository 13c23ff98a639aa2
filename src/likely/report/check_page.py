"""The page of what a check found: each fault with its images side by side; loads nothing, runs no script."""

from likely.data.check import Checked, Finding, Place, Severity
from likely.explain.drawing import PIXELATED
from likely.metrics.numerals import counted
from likely.report.examples import data_uri
from likely.report.page import template

N_GROUPS, N_MEMBERS = 60, 8
"""Above so many the page would be slow to open; the JSON holds them all."""

_TITLES: dict[Severity, str] = {
    "error": "fit would refuse this",
    "warning": "figures or answers suffer",
    "note": "good to know",
}


def render_check_page(checked: Checked) -> str:
    """The page as HTML text; every text that comes from the data is escaped."""
    return template("check_page.html").render(
        title=checked.name,
        lead=_lead(checked),
        counts=_counts(checked),
        titles=_TITLES,
        findings=[_shown(checked, finding) for finding in checked.findings],
    )


def _lead(checked: Checked) -> str:
    found = checked.findings
    verdict = "can be learned from" if found.fit_would_work else "can't be learned from as it is"
    counts = [counted(len(found.of(severity)), severity) for severity in _TITLES if found.of(severity)]
    rows = "" if checked.rows is None else f" {counted(len(checked.rows), checked.rows.noun)} could be read."
    return f"This data set {verdict}: {', '.join(counts) or 'nothing found'}.{rows}"


def _counts(checked: Checked) -> dict[str, object] | None:
    """A table of the number of rows by class and part."""
    if checked.rows is None:
        return None
    by_part = checked.rows.class_counts()
    rows = [("all", [f"{len(part):,}" for part in checked.rows.parts.values()])]
    labels = checked.rows.dataset.labels[:N_GROUPS]
    rows += [(label, [f"{counts[label]:,}" for counts in by_part.values()]) for label in labels]
    return {"parts": list(checked.rows.parts), "rows": rows, "more": len(checked.rows.dataset.labels) - len(labels)}


def _shown(checked: Checked, finding: Finding) -> dict[str, object]:
    groups = finding.groups[:N_GROUPS]
    shown = [[_place(checked, place) for place in group[:N_MEMBERS]] for group in groups]
    return {
        **vars(finding),
        "groups": [
            {"places": places, "more": len(group) - len(places), "several": len(group) > 1}
            for group, places in zip(groups, shown, strict=True)
        ],
        "between": " = " if finding.alike else ", ",
        "has_images": any(place["image"] for places in shown for place in places),
        "more": len(finding.groups) - len(groups),
    }


def _place(checked: Checked, place: Place) -> dict[str, object]:
    image = checked.image(place)
    return {
        **vars(place),
        "name": f"row {place.name}" if place.kind == "row" else place.name,
        "part": "" if place.name.startswith(f"{place.part}/") else place.part,
        "image": None if image is None else data_uri(image),
        "pixelated": image is not None and max(image.shape[:2]) <= PIXELATED,
    }
