"""Hayai."""
