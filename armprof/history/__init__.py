"""History: runs that are kept, the baselines among them, and where the level of what they measured moved."""
