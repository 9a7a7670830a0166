"""The last recorded attack on the check, as checks/mutations.json has it."""

from __future__ import annotations

from typing import Any

from analysis.ledger import Entry, entry


def mutation_entries(
    kinds: dict[str, dict[str, Any]], rules: dict[str, dict[str, Any]]
) -> list[Entry]:
    """Changes of each kind that the attack on the check made, and what each rule noticed."""
    made, killed = (sum(kind[stat] for kind in kinds.values()) for stat in ("made", "killed"))
    return [
        entry("mutation.kinds", len(kinds), "count"),
        entry("mutation.made", made, "count"),
        entry("mutation.killed", killed, "count"),
        entry("mutation.rate", killed / made, "percent"),
        *(
            entry(f"mutation.{name}.{stat}", kind[stat], "count")
            for name, kind in kinds.items()
            for stat in ("made", "killed")
        ),
        *(
            entry(f"mutation.rule.{name}.{stat}", rule[stat], "count")
            for name, rule in rules.items()
            for stat in ("noticed", "alone")
        ),
    ]
