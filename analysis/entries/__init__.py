"""From results to the ledger: a module for each part of the book that brings numbers."""

from __future__ import annotations

from analysis import selection
from analysis.entries.agreement import agreement_entries
from analysis.entries.attack import mutation_entries
from analysis.entries.audit import audit_entries
from analysis.entries.comparisons import comparison_entries
from analysis.entries.constants import CHOICES, constant_entries
from analysis.entries.cost import cost_entries
from analysis.entries.denominators import denominator_entries
from analysis.entries.differences import differences_entries
from analysis.entries.evidence import evidence_entries, flow_entries, row_entries
from analysis.entries.influence import influence_entries
from analysis.entries.multiverse import multiverse_entries
from analysis.entries.outlook import outlook_entries
from analysis.entries.pools import pool_entries
from analysis.entries.simulation import simulation_entries
from analysis.ledger import Entry, Ledger
from analysis.results import Results


def build(found: Results) -> Ledger:
    """The whole ledger."""
    chosen, pools = found.selection, found.pools
    entries: list[Entry] = [*CHOICES, *constant_entries(found.evidence.constants)]
    entries += row_entries(chosen.rows)
    for prefix, members in chosen.members.items():
        # An empty pool is a finding for a therapy, but not for every part of its evidence.
        if members.studies or members.basis not in selection.PARTS_OF_EVIDENCE:
            entries += pool_entries(members, pools[prefix])
    entries += comparison_entries(found.comparisons)
    entries += flow_entries(chosen)
    entries += evidence_entries(chosen, found.evidence.studies, pools)
    entries += multiverse_entries(found.multiverse)
    entries += influence_entries(chosen.members, pools, found.influence)
    entries += differences_entries(chosen.members, pools, found.differences)
    entries += audit_entries(found.audit, chosen.rows)
    entries += agreement_entries(found.agreement)
    entries += outlook_entries(chosen, pools, found.outlooks)
    entries += denominator_entries(chosen, found.bounds)
    entries += simulation_entries(found.records["simulation"])
    entries += mutation_entries(found.trials["kinds"], found.trials["rules"])
    entries += cost_entries(found.records["cost"])
    return Ledger(entries)
