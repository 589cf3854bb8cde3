"""Promises of whole commands, run in process."""
