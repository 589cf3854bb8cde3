"""The pace, judged alone and against simulated servers."""
