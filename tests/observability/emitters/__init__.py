"""Applications with OpenTelemetry's own instrumentations and nothing of ours: what others' emitters really send."""
