"""Sinks of events: what a person sees while a run works and when it ends."""
