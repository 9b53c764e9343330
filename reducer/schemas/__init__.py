"""What each trace schema is: its events, and the rules in which it differs from the others."""
