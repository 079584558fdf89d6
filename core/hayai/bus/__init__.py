"""The bus: base (what it promises), memory (the twin), nats (the engine on JetStream)."""
