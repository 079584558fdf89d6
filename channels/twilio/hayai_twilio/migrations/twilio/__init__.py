"""Text messages: how far each got, and when each number may send again."""
