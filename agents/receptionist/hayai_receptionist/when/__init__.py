"""Appointment talk understood without a language model: words in, candidate windows and doubts out."""
