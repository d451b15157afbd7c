"""Reading accounts for pages and reports. Nothing here writes."""
