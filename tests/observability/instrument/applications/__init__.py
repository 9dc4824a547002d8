"""Applications as they run on-premises, each a process of its own."""
