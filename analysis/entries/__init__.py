"""From results to the ledger: a module for each part of the book that brings numbers."""

from __future__ import annotations

from typing import Any

from analysis import selection
from analysis.agreement import Comparison
from analysis.audit import Audit
from analysis.entries.agreement import agreement_entries
from analysis.entries.attack import mutation_entries
from analysis.entries.audit import audit_entries
from analysis.entries.constants import CHOICES, constant_entries
from analysis.entries.evidence import evidence_entries, flow_entries, row_entries
from analysis.entries.multiverse import multiverse_entries
from analysis.entries.pools import pool_entries
from analysis.evidence import Evidence
from analysis.ledger import Entry, Ledger
from analysis.multiverse import Multiverse
from analysis.pooling import Pool
from analysis.selection import Selection


def build(
    evidence: Evidence,
    chosen: Selection,
    pools: dict[str, Pool],
    trials: dict[str, Any],
    audited: Audit,
    compared: tuple[Comparison, ...],
    explored: dict[str, Multiverse],
) -> Ledger:
    """The whole ledger from the evidence, the selection and the pools (by prefix).

    `trials` is the last recorded attack on the check, as checks/mutations.json has it; `audited`
    and `compared` are what the audit of the sources and the comparison with other reviews found;
    `explored` has every analysis of the therapies' pools.
    """
    entries: list[Entry] = [*CHOICES, *constant_entries(evidence.constants)]
    entries += row_entries(chosen.rows)
    for prefix, members in chosen.members.items():
        # An empty pool is a finding for a therapy, but not for every line of every therapy.
        if members.studies or members.basis not in selection.LINES:
            entries += pool_entries(members, pools[prefix])
    entries += flow_entries(chosen)
    entries += evidence_entries(chosen, evidence.studies, pools)
    entries += multiverse_entries(explored)
    entries += mutation_entries(trials["kinds"], trials["rules"])
    entries += audit_entries(audited, chosen.rows)
    entries += agreement_entries(compared)
    return Ledger(entries)
