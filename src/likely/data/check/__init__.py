"""Look at data before a minute is spent on them: what a fit would refuse, and what would make its figures lie."""

from likely.data.check.check_dataset import check_dataset
from likely.data.check.check_source import Checked, check_source
from likely.data.check.findings import Finding, Findings, Place, Severity

__all__ = ["Checked", "Finding", "Findings", "Place", "Severity", "check_dataset", "check_source"]
