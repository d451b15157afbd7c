DROP INDEX IF EXISTS credit_grant_due;
