"""Tests of the room that holds answers against schemas."""
