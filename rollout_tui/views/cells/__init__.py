"""What the JavaScript of a code cell did, step by step."""
