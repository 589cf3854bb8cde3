"""Promises of the report's page, kept in a real browser."""
