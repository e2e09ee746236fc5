"""HTML: pages that stand alone, and what a notebook shows; both are made of the same blocks."""
