"""Whether smoothing a map makes it more accurate, and which of its classes less."""
