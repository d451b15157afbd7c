"""What a plan can cost us, worked out before it is sold: docs/adr/0013-plan-audit-and-guard.md."""
