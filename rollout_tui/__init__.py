"""The command line and the terminal inspector for Codex rollout-trace bundles."""
