"""Every question that pages, commands and reports ask, once: bounded in time, limited in rows, for any dialect."""
