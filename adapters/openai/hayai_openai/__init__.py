"""Hayai adapter for OpenAI's Responses API, and for every server that speaks it."""
