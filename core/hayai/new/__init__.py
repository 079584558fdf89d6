"""New: what `hayai new` writes, whole packages that pass their contract as they stand."""
