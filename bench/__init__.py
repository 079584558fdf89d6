"""Benchmarks: the product beside its peers, interleaved, on the same server in the same run; `make bench` runs them."""
