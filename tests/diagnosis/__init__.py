"""Programs that are slow for a known reason, and the same ones mended: is the reason found, and the gain as promised?

`python -m diagnosis` in the folder tests; docs/diagnosis.md.
"""
