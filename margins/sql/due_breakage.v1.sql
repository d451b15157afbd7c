-- Bought credits that can still expire, by when: every report first asks for those that are due (services/due.py). None
-- of these columns changes while credits are burned, so burning them costs nothing more.

CREATE INDEX IF NOT EXISTS credit_grant_due ON credit_grant (expires_at)
    WHERE closed_at IS NULL AND paid > 0 AND expires_at IS NOT NULL;
