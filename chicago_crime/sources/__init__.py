"""Where the yearly CSVs come from: one module per publisher, all behind `base.CrimeSource`."""
