"""The providers on real sockets, and their pure parts in tables."""
