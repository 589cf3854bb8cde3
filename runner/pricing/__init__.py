"""What tokens cost: price lists, what an answer cost, and the most that a request can cost."""
