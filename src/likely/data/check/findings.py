"""What a check of data found: each finding says which rows, how bad it is, and what to do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from likely.metrics.numerals import counted

Severity: TypeAlias = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Place:
    """Where something was found: a row of a part, a file, a class or a column.

    Args:
        name: the path inside the folder of the data, the number of the row in its part, the class, or the column.
        kind: which of these the name is.
        part: "train", "val" or "test"; empty where it concerns all of them.
        index: the row of that part, if it is one that was read.
        detail: what else there is to say, such as a size or a count.
    """

    name: str
    kind: Literal["path", "row", "label", "column"]
    part: str = ""
    index: int | None = None
    label: str = ""
    detail: str = ""

    def to_json(self) -> dict[str, object]:
        """The kind as the key of the name; what is not known is left out."""
        name: str | int = int(self.name) if self.kind == "row" else self.name
        known = {"part": self.part, "label": self.label, "detail": self.detail}
        return {self.kind: name, **{key: value for key, value in known.items() if value}}


@dataclass(frozen=True)
class Finding:
    """One kind of fault, everywhere it occurs.

    Args:
        kind: a short name that programs can rely on, such as "leak".
        severity: "error" if fit would refuse the data, "warning" if figures or answers suffer, else "note".
        message: a sentence for people: what, and how many.
        advice: a sentence: what to do.
        groups: the places; what belongs together, such as copies of one image, is one group.
        alike: whether the places of a group look the same, to be shown side by side.
    """

    kind: str
    severity: Severity
    message: str
    advice: str = ""
    groups: Sequence[Sequence[Place]] = ()
    alike: bool = False

    def to_json(self) -> dict[str, object]:
        """Every place, in plain JSON values."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "message": self.message,
            "advice": self.advice,
            "count": len(self.groups),
            "groups": [[place.to_json() for place in group] for group in self.groups],
        }


class Findings(Sequence[Finding]):
    """Findings, the worst first.

    Example:
        >>> found = Findings([Finding("balance", "note", "..."), Finding("unreadable", "error", "...")])
        >>> [finding.kind for finding in found], found.fit_would_work
        (['unreadable', 'balance'], False)
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._findings = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))

    def __getitem__(self, index: Any) -> Any:
        return self._findings[index]

    def __len__(self) -> int:
        return len(self._findings)

    @property
    def fit_would_work(self) -> bool:
        """Whether there is no error among them."""
        return not self.of("error")

    def of(self, *severities: Severity) -> list[Finding]:
        """Those as bad as this."""
        return [finding for finding in self._findings if finding.severity in severities]

    def to_json(self) -> list[dict[str, object]]:
        """A list of plain JSON objects, the worst first."""
        return [finding.to_json() for finding in self._findings]


def about(kind: str, severity: Severity, places: Sequence[Place], says: str, advice: str) -> list[Finding]:
    """One finding about these places, with their number before what it says; none where there are none.

    `says` is the message after the number, in the singular; in the plural after a bar.

    Example:
        >>> [finding.message for finding in about("link", "note", [Place("a", "path")], "link leads|links lead", "")]
        ['1 link leads.']
    """
    message = f"{counted(len(places), *says.split('|'))}."
    return [Finding(kind, severity, message, advice, [[place] for place in places])] if places else []
