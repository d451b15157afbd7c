DROP VIEW IF EXISTS decision_line;
