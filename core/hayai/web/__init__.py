"""The one HTTP door: health, the staff API, and the routes of every channel."""
