"""One object in plain words."""
