"""Harnesses that try to lose an answer, to pay twice, or to show a key."""
