"""Finished maps of flight lines, laid over each other on a common grid. No torch.

Read in this order: `mapped_line` (a map and its companions), `target` (the common grid), `placement` and `sampling`
(from the pixels of one grid to those of another), `placed_line` (a line on the common grid), `block_plan` (block by
block).
"""
