"""Faults made on purpose, under load, with an oracle outside of the system: `make chaos`, docs/reliability.md."""
