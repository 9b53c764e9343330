"""What is drawn, as plain models: text with a style, rows of lists, colours, rows of a JSON text."""
