"""What each verb puts before reviewers: one module for each, from what it found to a Review."""
