"""What the model received at a call, as rows and as a document."""
