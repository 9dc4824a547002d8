"""The data plane: the compiled configuration in the real Envoy."""
