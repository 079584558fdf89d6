"""Postgres for Hayai: the database port, API keys, conversations, the calendar, and their migrations."""
