"""Hayai adapters for files of NAME=value lines."""
