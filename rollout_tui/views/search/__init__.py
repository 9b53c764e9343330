"""Search over everything of one bundle."""
