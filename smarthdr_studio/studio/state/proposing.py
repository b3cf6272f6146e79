"""What a rule proposes to promote, and what of it a person has ticked."""

from dataclasses import dataclass

from smarthdr_studio.core.curation.proposals import Proposal, Rule

_FIRST = Rule()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalState:
    """The rule, all that it proposes (`found`), and what would come of the scenes left ticked.

    `shortfall` says what is missing where it proposes nothing. With `telling` a notice comes after
    a round whose scenes fulfil the rule. Both proposals are None until somebody asks.
    """

    rule: Rule = _FIRST
    telling: bool = False
    found: Proposal | None = None
    chosen: Proposal | None = None
    shortfall: str = ""
