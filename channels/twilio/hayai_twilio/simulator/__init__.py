"""The simulator: Twilio and a customer's phone, on this machine, for trying out and for tests."""
