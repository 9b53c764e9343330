"""What can be typed: after `:`, and behind `show`. One table of words, and what is read out of them."""
