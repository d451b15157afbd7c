"""Proving on a live database what DESIGN promises: every check is one read-only statement over whole tables."""

from entitlements.audit.checks import CHECKS, Check, add_check, all_checks
from entitlements.audit.running import Fault, Outcome, audit

__all__ = ["CHECKS", "Check", "Fault", "Outcome", "add_check", "all_checks", "audit"]
