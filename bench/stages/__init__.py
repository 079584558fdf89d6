"""Stages: what is measured together, on servers that are started for it alone; a module for each kind of work."""
