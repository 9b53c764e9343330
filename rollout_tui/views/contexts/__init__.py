"""What the model received at a call: its items, how they differ from another call, who else saw them."""
