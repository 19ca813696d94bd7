"""Asset checks, which every run performs on the tables it wrote."""
