"""A catalogue file with a plan that keeps its margin and can be made to lose it."""

KEEPS = """
features:
  chat: {name: Chat}
tiers:
  economy: {name: Economy, rank: 10}
models:
  gpt-4o-mini: {name: Small, provider: openai, tier: economy}
rate_cards:
  standard:
    name: Standard
    versions:
      - {number: 1, from: 2026-01-01, rates: [{tier: economy, per_1M: {input_tokens: 100, output_tokens: 400}}]}
plans:
  pro:
    name: Pro
    price: 29 USD
    rate_card: standard
    allowance: {credits: 1000}
    unpriced: deny
    entitlements: [{feature: chat, up_to: economy}]
"""

LOSES = KEEPS.replace("credits: 1000", "credits: 100000")
"""0.15 and 0.60 USD a million tokens for 100 and 400 credits: 0.0015 USD a credit, and it earns 0.00029."""
