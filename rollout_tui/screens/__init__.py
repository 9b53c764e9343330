"""The screens: the inspector with its panes, and what opens above it."""
