"""Widgets that draw long things line by line; the models that they draw are in `texts` and `lines`."""
