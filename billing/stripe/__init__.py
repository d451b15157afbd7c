"""All that speaks to Stripe: the only importer of its SDK. Amounts become minor units here and nowhere else."""
