"""What the panes show, as pure functions of the reduced graph. Nothing here knows Textual."""
