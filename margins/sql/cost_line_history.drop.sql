DROP TRIGGER IF EXISTS cost_line_keeps_its_history ON cost_line;
DROP FUNCTION IF EXISTS cost_line_keeps_its_history();
