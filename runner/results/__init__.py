"""The results file: the log of a run, what stands beside it, and how it is resumed."""
