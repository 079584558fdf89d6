"""The SQL files of this distribution."""
