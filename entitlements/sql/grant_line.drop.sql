DROP VIEW IF EXISTS grant_line;
