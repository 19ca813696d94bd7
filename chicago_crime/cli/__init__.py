"""The command line: one module per command, and what it prints."""
