-- Money of bought credits that went back in a period, or returned, in nano-units of the customer's own currency.
SELECT r.customer_id, (sum(r.amount) * 1000000000)::bigint
FROM reversal r
JOIN customer c ON c.id = r.customer_id AND c.currency = r.amount_currency
WHERE r.customer_id = ANY(%(customers)s) AND r.recorded_at >= %(since)s AND r.recorded_at < %(until)s
GROUP BY 1
