"""A small catalogue file: what the database tests of plans start from."""

SMALL = """
features:
  chat: {name: Chat}
  seats: {name: Seats, kind: static}
  sso: {name: Single sign-on, kind: boolean}
tiers:
  economy: {name: Economy, rank: 10}
  premium: {name: Premium, rank: 20}
models:
  gpt-5-mini: {name: GPT-5 mini, provider: openai, tier: economy}
  gpt-5: {name: GPT-5, provider: openai, tier: premium, aliases: [big], prefixes: [gpt-5-chat]}
rate_cards:
  standard:
    name: Standard
    versions:
      - number: 1
        from: 2026-01-01
        round_to: 0.001
        rates:
          - {tier: economy, per_1M: {input_tokens: 100, output_tokens: 400}}
          - {feature: chat, tier: premium, action: 0.5, per_1M: {input_tokens: 1000}, each: {web_searches: 2}}
plans:
  pro:
    name: Pro
    price: 29 USD
    rate_card: standard
    allowance: {credits: 1000, rollover_max: 250.5}
    overage: {price: 0.012 USD, spend_cap: 500, invoice_at: 250}
    grace: {policy: soft_limit, days: 3}
    entitlements:
      - {feature: chat, up_to: premium, at_limit: downgrade}
      - {feature: seats, config: {included: 5}}
      - {feature: sso}
    fallbacks: [gpt-5-mini]
    limits:
      - {key: daily, unit: calls, window: day, value: 100, warn_at: [80, 95]}
      - {key: run-cost, scope: run, feature: chat, unit: cost, window: run, value: 2.5}
top_up_packs:
  small: {name: Small, credits: 1000, bonus: 50, price: 10 USD, expires_after_days: 365}
"""


def changed(*changes: tuple[str, str]) -> str:
    """The file with some things said otherwise."""
    text = SMALL
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        text = text.replace(old, new)
    return text
