DROP TRIGGER IF EXISTS cost_card_is_published ON cost_card;
DROP TRIGGER IF EXISTS cost_rate_is_published ON cost_rate;
DROP TRIGGER IF EXISTS cost_card_bumps_cache_revision ON cost_card;
DROP TRIGGER IF EXISTS cost_rate_bumps_cache_revision ON cost_rate;
DROP FUNCTION IF EXISTS cost_card_is_published();
DROP FUNCTION IF EXISTS cost_rate_is_published();
