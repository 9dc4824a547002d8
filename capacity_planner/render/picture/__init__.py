"""The picture of the address space: `tiles` (who has which block), `geometry` (where a block is), `ink` (SVG), `page`."""
