"""Hayai's front door for FastStream: its routers run on the house's engine, its services speak the house's envelope."""
