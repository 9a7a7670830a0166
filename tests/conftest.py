"""The report of the shipped data, built once for all tests that look at it."""

from __future__ import annotations

import pytest

from analysis import report
from analysis.report import Report


@pytest.fixture(scope="session")
def shipped() -> Report:
    return report.build()
