"""Where the records come from: one module or package per publisher, all behind `base.CrimeSource`."""
