"""Promises of the texts: what they say of commands and options is so, what they show happens."""
