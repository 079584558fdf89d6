"""The calendar: schedules and appointments."""
