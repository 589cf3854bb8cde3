"""Worker processes: they send the requests of a run and read the answers, and know nothing else.

Pace, money, journal, records and signals stay with the one process that the user started, so that
every promise of a run holds whatever their number.
"""
