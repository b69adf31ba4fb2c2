"""What each component of the default is worth on real data, on the splits that choices are made on."""
