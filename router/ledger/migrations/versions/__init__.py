"""The revisions, oldest first: `first`, `releases`."""
