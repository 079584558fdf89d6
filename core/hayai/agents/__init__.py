"""Agents: what an agent with a language model is made of. Begin with `hayai.agents.agent.Agent`."""
