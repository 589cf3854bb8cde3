"""The command line: one file a command, options to settings, exceptions to exit codes."""
