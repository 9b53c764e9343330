"""What a code cell did, what it received, and what the model was shown of it."""
