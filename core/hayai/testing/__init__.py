"""What makes a plugin drop-in: a contract for each port, twins, a clock, fixtures."""
