"""Following an edge: from an object to where it leads, and to where it came from."""
