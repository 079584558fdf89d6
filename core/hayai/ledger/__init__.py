"""The ledger: what was handled, what is to be published and what was done outside, kept in Postgres."""
