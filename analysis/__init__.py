"""From the evidence in `data/` to the ledger, the figures and the tables of the book."""
