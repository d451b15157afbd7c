DROP VIEW IF EXISTS message_line;
