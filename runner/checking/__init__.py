"""A whole file looked at before anything is sent: valid, how large, and what it may cost."""
