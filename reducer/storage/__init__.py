"""What is on disk, and nothing else opens files: the bundle, its log, and its payloads."""
