"""Why a catalogue change is refused. Codes are stable; each detail says what to do about it."""

from kernel.errors import Conflict, InvalidInput, NotFound


class VersionIsNotDraft(Conflict):
    code = "version_is_not_draft"
    title = "Only a draft can be published or changed"


class VersionIsNotPublished(Conflict):
    code = "version_is_not_published"
    title = "Only a published version can be retired"


class DraftExists(Conflict):
    code = "draft_exists"
    title = "There is a draft already"


class NothingToCopy(Conflict):
    code = "nothing_to_copy"
    title = "There is no version to copy"


class PlanHasNoEntitlements(Conflict):
    code = "plan_has_no_entitlements"
    title = "The plan includes no feature"


class RateCardNotPublished(Conflict):
    code = "rate_card_not_published"
    title = "The plan's rate card has no published version in force"


class FeatureNotRated(Conflict):
    code = "feature_not_rated"
    title = "The rate card has no rate for a feature the plan includes"


class FallbackNotRated(Conflict):
    code = "fallback_not_rated"
    title = "The rate card has no rate for a fallback model"


class FallbackNotEntitled(Conflict):
    code = "fallback_not_entitled"
    title = "A fallback model is above every tier the plan includes"


class DowngradeWithoutFallback(Conflict):
    code = "downgrade_without_fallback"
    title = "An entitlement downgrades, but no fallback model is within its tier"


class OverageWithoutPrice(Conflict):
    code = "overage_without_price"
    title = "An entitlement allows overage, but the plan has no overage price"


class PriceNotPayable(Conflict):
    code = "price_not_payable"
    title = "A price has more decimal places than its currency"


class EntitlementValue(Conflict):
    code = "entitlement_value"
    title = "An entitlement's value or tier does not fit the kind of its feature"


class LimitCoversNothing(Conflict):
    code = "limit_covers_nothing"
    title = "A limit covers something the plan does not include"


class AllowanceContradiction(Conflict):
    code = "allowance_contradiction"
    title = "The allowance and its rollover contradict each other"


class AcknowledgementNeeded(Conflict):
    code = "acknowledgement_needed"
    title = "The plan can lose money: publishing it needs somebody to say why it is sold all the same"


class RateCardIsEmpty(Conflict):
    code = "rate_card_is_empty"
    title = "The rate card version has no rates"


class RateCardIsBackdated(Conflict):
    code = "rate_card_is_backdated"
    title = "A rate card in use cannot change prices of the past"


class RateCardDateTaken(Conflict):
    code = "rate_card_date_taken"
    title = "Another published version of the card starts at the same instant"


class FeatureUnknown(NotFound):
    code = "feature_unknown"
    title = "There is no such feature in the catalogue"


class ModelUnknown(NotFound):
    code = "model_unknown"
    title = "No model of the catalogue has that id"


class PlanUnknown(NotFound):
    code = "plan_unknown"
    title = "There is no such plan"


class DraftUnknown(NotFound):
    code = "draft_unknown"
    title = "The plan has no such draft"


class RateCardUnknown(NotFound):
    code = "rate_card_unknown"
    title = "There is no such rate card, or no version of it was in force"


class Unrated(Conflict):
    code = "unrated"
    title = "The rate card has no rate for this action"


class NotMetered(InvalidInput):
    code = "feature_not_metered"
    title = "Only a metered feature costs credits"
