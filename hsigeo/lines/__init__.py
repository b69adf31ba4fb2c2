"""Finished maps of flight lines, laid over each other: where each lies, what it says at a place, and how sure it is."""
