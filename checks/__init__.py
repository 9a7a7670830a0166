"""Reads a built book back and compares it with data/ on another road than the one that built it.

Nothing here imports the code whose results it checks.
"""
