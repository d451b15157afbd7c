DROP VIEW IF EXISTS usage_line;
