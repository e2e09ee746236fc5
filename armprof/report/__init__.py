"""The report: `document` says what a run's counts mean, one module for each format renders it."""
