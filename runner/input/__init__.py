"""Job lines: read, told apart by shape, checked, and given an id and a digest."""
