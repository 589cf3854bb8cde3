"""Promises of what is published: the wheel and the source archive."""
