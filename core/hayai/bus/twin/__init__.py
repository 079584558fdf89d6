"""The twin: a model of one JetStream server, kept in this process, whose time is what its user says it is."""
