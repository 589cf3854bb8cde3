"""Traces: what is made of records, and what a collector gets."""
