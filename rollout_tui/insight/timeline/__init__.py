"""The entries of a timeline, as trees that grow with the log, and how one steps through them."""
