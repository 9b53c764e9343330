"""A run as one file to hand over: what `show` tells, with the evidence behind it, as HTML or Markdown."""
