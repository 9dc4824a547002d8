"""Which limit breaks at which factor of the demand: `sweep` finds them, `chart` and `svg` draw them."""
