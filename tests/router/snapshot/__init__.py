"""The compiler from estates to Envoy resources."""
