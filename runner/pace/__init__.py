"""How fast to ask: pure logic that learns the limits of an account. Waiting is done elsewhere."""
