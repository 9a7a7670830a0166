"""Figures: what each of them shows, and how it is drawn."""
