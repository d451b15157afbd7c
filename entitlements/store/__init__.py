"""Loading accounts under their locks and writing their changes back: sets in, sets out, no decisions."""
