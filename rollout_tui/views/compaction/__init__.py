"""What became of a history when another was put in its place."""
