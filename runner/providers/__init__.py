"""The APIs that answer: one adapter a file behind one Protocol. No SDK type leaves this room."""
