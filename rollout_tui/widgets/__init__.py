"""Widgets that draw long things line by line, and the plain models under them.

The models (`spans`, `rows`, `json_index`, `json_view`, `text_lines`) import no Textual, so views may build on
them; for that reason this package imports none of its modules by itself.
"""
