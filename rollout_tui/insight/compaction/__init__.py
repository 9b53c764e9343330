"""How histories are replaced: compactions, rewrites, and what became of each item."""
