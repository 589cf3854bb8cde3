"""The composition root: opens input, results and providers, wires them, owns the signals."""
