"""What can be done to an account. Each function is one transaction, exact under concurrency."""
