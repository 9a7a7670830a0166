"""Renders the book: with Quarto where there is one, else with the built-in engine.

`python -m render [--engine auto|quarto|builtin] [--output DIR]`, run from the project's root.
A book that holds a fault is never put in place of the last good one.
"""
