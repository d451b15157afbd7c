"""Whether the margin would survive a bad month: questions answered from the account's own data, with the evidence."""
