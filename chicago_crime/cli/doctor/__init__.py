"""`chicago-crime doctor`: check the installation and print a fix for each problem."""
