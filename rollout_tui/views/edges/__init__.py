"""What went between agents, and the steps from one object of a graph to another."""
