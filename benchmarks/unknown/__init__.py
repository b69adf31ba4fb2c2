"""Whether pixels of a class that was never learnt are told from those of known classes, on ground not trained on."""
