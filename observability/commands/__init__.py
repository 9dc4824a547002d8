"""The command `fig observe`: parse, ask and print are separate; only the renderer prints."""
