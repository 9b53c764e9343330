"""Trace bundles to try the inspector on, and the scripts that write them with this project's own recorder."""
