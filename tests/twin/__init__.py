"""The differential test: random scripts on the twin and on a real nats-server must give the same history."""
