"""Proofs that a customer can run on the own machine."""
