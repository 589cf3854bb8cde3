"""Worker processes, from their pipe to whole runs."""
