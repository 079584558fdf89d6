"""The SQL of each component, numbered, applied by hayai.migrations."""
