"""Tests of a results file read back."""
