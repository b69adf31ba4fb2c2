"""A class map by what people use today and by hsigeo: seconds, pixels a second, accuracy."""
