"""What a tool put out beside what the model was shown of it."""
