"""Tool calls: what they were called with, what came back, which files they read."""
