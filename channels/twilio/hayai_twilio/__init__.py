"""Twilio: text messages and WhatsApp over its REST API and webhooks."""
