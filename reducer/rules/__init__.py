"""What the events mean: a module for each concern, whose methods are the handlers of its events."""
