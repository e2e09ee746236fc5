"""Continuous sampling: the loop, the store, alerts, trends, the exporter and the fleet."""
