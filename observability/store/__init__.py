"""DuckDB in one file, owned by one process: one writer, retention, and a clear word when it is full."""
