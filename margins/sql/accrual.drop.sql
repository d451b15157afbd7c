DROP FUNCTION IF EXISTS accrued_between(numeric, timestamptz, timestamptz, timestamptz, timestamptz);
DROP FUNCTION IF EXISTS months_between(timestamptz, timestamptz);
