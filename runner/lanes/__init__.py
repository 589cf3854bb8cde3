"""Ways to a provider other than a request a job: its batch service."""
