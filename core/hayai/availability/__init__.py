"""Which starts are free: pure functions of a schedule, what is booked, and the present."""
