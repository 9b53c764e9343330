"""What failed, by one definition, and its words."""
