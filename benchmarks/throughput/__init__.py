"""How far a run is from waiting for one thing only: reading, computing or writing."""
