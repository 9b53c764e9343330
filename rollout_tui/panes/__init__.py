"""The four panes: each answers one question about the entry under the cursor."""
