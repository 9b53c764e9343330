"""Texts and JSON of any length as plain models, and numbers and times in words. No style, no widget."""
