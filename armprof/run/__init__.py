"""The run: what armprof learned of some components, as a record and as a file."""
