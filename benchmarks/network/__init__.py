"""How many pixels a second one core takes through the default network, compiled and in plain torch."""
