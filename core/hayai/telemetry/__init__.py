"""Telemetry: the trace that an event belongs to, what the bus counts, and how both leave the process."""
