"""Searching everything that a bundle has."""
