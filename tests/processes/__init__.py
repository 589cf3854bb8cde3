"""Promises of the program as a user runs it: real processes, sockets, signals and files."""
