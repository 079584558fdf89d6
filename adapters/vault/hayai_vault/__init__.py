"""Hayai adapters for OpenBao and HashiCorp Vault."""
