"""Sentences and tables of single chapters; what all chapters share is in prose.py and tables.py."""
