"""The ground: API keys and conversations."""
