"""The input room is what these tests are about."""
