"""Texts as declared types: JSON, lines of the log, references to payloads."""
