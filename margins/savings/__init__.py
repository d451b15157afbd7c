"""What caching, batches, cheaper tiers and answers of our own saved, and would have saved. From real events."""
