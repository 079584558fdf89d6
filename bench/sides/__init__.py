"""Sides: what is measured, each in a process of its own; a module for each product."""
