"""Asset checks: what every run proves about the tables it wrote."""
