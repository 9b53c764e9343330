"""The commands of the program; each module is imported when its command runs."""
