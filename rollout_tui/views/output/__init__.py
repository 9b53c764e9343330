"""What a command printed, beside what the model was shown of it."""
