"""The router's commands: parse, do and render are separate; only the renderer prints."""
