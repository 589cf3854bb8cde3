"""A results file summed up: figures in one pass, the same for the terminal, JSON and the page."""
