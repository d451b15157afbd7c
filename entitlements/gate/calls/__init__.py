"""Every kind of call the gate runs: what it needs loaded, and what it does to the loaded accounts."""

from entitlements.gate.calls.batch import Batch, Call, CatchUpCall, DecisionRow
from entitlements.gate.calls.checks import CheckCall, Checked, KeepDecisionCall
from entitlements.gate.calls.holding import AcquireCall, ExtendCall, HoldCall, SettleCall, Settled, VoidCall
from entitlements.gate.calls.running import CloseRunCall, OpenRunCall, RunResult
from entitlements.gate.calls.usage import ItemOutcome, UsageCall

__all__ = [
    "AcquireCall",
    "Batch",
    "Call",
    "CatchUpCall",
    "CheckCall",
    "Checked",
    "CloseRunCall",
    "DecisionRow",
    "ExtendCall",
    "HoldCall",
    "ItemOutcome",
    "KeepDecisionCall",
    "OpenRunCall",
    "RunResult",
    "SettleCall",
    "Settled",
    "UsageCall",
    "VoidCall",
]
