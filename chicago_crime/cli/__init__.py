"""The command line: one module per command, and terminal output."""
