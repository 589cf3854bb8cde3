"""Promises of the files in `samples`: each is what its command writes."""
