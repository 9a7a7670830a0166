"""Reads a built book back and accounts for every number in it; imports nothing that computed them.

`python -m checks BOOK_DIR` reads the book and its project (book.py), checks it (audit.py) and says
what was found (report.py); `python -m checks.mutate` attacks the check (mutate.py, mutants.py).
The rules are listed in faults.py. Where each of them lives:

what numbers must be      rows, counts, constants, statistics, mixed_model, values/; ledger
                          (recompute.py compares all of them)
what a page must show     chapters, vocabulary and pages/ (keys in order), structure, citations
what a page does show     html, accounting, sight, spoken, links, leftovers; sources, tags
figures                   svg, figures, figure_plan, plans/, figure_data; geometry, chart_geometry
print, downloads, age     pdf, downloads, fresh
"""
