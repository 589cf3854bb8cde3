"""Tests of the command line: options to settings, exceptions to exit codes."""
