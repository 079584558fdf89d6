"""Consent: STOP, START and HELP in what customers write, and the answers to them."""
