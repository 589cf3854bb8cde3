"""A results file read back: answers to look at and to export."""
