"""The report as one page that needs nothing else: no script, style or picture from elsewhere."""
