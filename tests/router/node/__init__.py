"""The node, with real agents and real Envoys."""
