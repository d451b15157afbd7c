"""What Django code calls: plain functions, each repeatable. Stripe is asked between transactions, never inside one."""
