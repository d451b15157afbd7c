from plans.models.acknowledgement import PlanAcknowledgement
from plans.models.ai_model import AIModel, ModelMatch, ModelTier
from plans.models.feature import Feature
from plans.models.plan import FallbackStep, Plan, PlanEntitlement, PlanLimit, PlanVersion
from plans.models.rate_card import Rate, RateCard, RateCardVersion, TokenRate
from plans.models.top_up_pack import TopUpPack

__all__ = [
    "AIModel",
    "FallbackStep",
    "Feature",
    "ModelMatch",
    "ModelTier",
    "Plan",
    "PlanAcknowledgement",
    "PlanEntitlement",
    "PlanLimit",
    "PlanVersion",
    "Rate",
    "RateCard",
    "RateCardVersion",
    "TokenRate",
    "TopUpPack",
]
