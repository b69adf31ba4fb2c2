"""Whether the peak of a run is what was planned, whatever the size of the scene."""
