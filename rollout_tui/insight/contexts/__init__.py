"""What a call saw: its items, their sizes, what changed since another call, who saw an item."""
