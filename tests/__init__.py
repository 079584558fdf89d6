"""Tests of the house as a whole; those of one package stand in the package's own folder."""
