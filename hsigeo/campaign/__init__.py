"""Many scenes, one model: jobs that survive a sudden end, on this machine or on many.

Read in this order: `inputs` (which scenes), `job` (what is made, and what it depends on),
`work` (the tiles of a line), `local` and `cluster` (two ways to compute them), `line` (one line from start to finish),
`manifest` (what became of all of them), `run` (all of them).
"""
