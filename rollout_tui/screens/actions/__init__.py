"""What the keys do in the inspector: a module for each group of actions."""
