"""The contracts' table, as numbered SQL."""
