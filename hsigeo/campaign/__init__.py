"""Many scenes, one model: runs that survive crashes, on one machine or many.

Read in this order: `inputs` (which scenes), `job` (what is made, and what it depends on), `preparation` (a line opened
and planned, with `budget` for memory and `warming` for a first piece), `work` (the tiles of a line), `local` and
`cluster` (two ways to compute them), `finish` (the outputs), `line` (one line from start to end), `manifest` (the
outcome of all lines), `run` (all lines).
"""
