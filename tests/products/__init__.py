"""Small files with the structure of real products: groups, names, attributes, fill values, units, order of axes."""
