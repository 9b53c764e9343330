"""Values of a graph as rows and facts: what panes show and `show` prints. Nothing here knows Textual."""
