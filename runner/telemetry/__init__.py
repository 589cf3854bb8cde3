"""Traces of a run for OpenTelemetry, where `--otel` asks for them."""
