"""What can be done to cost cards."""
