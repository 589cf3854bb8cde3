"""The providers' batch services, one adapter each behind the Protocol in `base.py`."""
