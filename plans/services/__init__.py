"""What changes the catalogue's state, and what answers questions about it. Refusals: plans/problems.py."""
