"""Who and what the cost is: heavy users, cohorts, features, run trees, and why it changed. Asked of daily rollups."""
