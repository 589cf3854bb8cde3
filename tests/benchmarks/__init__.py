"""Comparisons that are run on demand. What they print belongs to the machine they ran on."""
