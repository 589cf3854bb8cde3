"""Tests of the ground: the records and words that every room shares."""
