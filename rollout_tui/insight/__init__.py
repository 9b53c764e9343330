"""What a graph tells about a run: functions from the graph to values, without rows, styles or widths."""
