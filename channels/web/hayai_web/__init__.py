"""The web channel: a chat page and a widget, over WebSocket."""
