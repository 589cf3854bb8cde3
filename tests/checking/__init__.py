"""Tests of what a check says jobs will take."""
