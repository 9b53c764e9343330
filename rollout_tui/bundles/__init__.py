"""The bundles of a trace root as a list: what each of them is about, told without reducing it."""
