"""Running a command with tracing on, in the real terminal or in a pseudo-terminal of its own."""
