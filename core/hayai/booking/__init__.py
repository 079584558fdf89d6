"""Booking: the rules of every calendar that keeps its own books."""
