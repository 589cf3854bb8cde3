"""Tests of the configuration: files, precedence, and what a file in the folder may do."""
