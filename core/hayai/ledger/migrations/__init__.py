"""The ledger's tables, as numbered SQL."""
