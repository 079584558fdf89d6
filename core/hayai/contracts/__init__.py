"""The contracts of events: who publishes and who reads which version, kept at install and checked at start."""
