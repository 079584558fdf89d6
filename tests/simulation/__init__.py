"""Simulation: workers, a NATS server, a Postgres and their faults in one process, on a virtual clock, from one seed.

The engine, the ledger's logic and nats-py are the real ones; below them stand models of the two servers. What is
random comes from the seed, so a history that went wrong is repeated by its number.
"""
