"""`chicago-crime doctor`: check an installation and print a fix for each problem."""
