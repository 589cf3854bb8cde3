"""JSON Schemas for answers: read and checked before a run, and held against what comes."""
