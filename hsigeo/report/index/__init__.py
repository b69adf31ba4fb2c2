"""The page above the pages of a campaign: one row for each flight line.

Each line's own page carries its row in its head, so the index is made from pages: those that are there and still true
are left alone, and a run that was stopped goes on where it ended.
"""
