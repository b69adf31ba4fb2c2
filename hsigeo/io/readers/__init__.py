"""One reader for each way in which scenes are delivered, and the choice between them.

A reader is small: it says whether a file is its own, by what is in it, and opens it as a `hsigeo.io.cube.Cube`.
"""
