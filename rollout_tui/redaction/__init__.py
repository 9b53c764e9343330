"""A recording without its texts: what gives a run its shape stays, all else becomes numbered placeholders.

An allow-list says what stays (`vocabulary.py`, `codex_words.py`); whatever it does not name is replaced,
also what this program does not know. So a new field of a new codex is no leak, only less to see.
"""
