"""Tests of the whole house; a package so that `python -m tests.chaos` is a command."""
