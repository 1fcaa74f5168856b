"""The quality rules of a plugin and the tier they add up to.

A manifest states each rule as done, or as exempt with a reason. A tier is reached when all its rules, and those of the tiers below it,
are stated; `oms plugin check` verifies what a machine can.
"""

from __future__ import annotations

from collections.abc import Mapping

TIERS: dict[str, dict[str, str]] = {
    "bronze": {
        "connection_tested": "settings are proved by a call to the other side before they are activated",
        "unique_instance": "the same account cannot be set up twice",
        "simulator": "a simulator speaks the other side's protocol on loopback",
        "removal_documented": "the README says what disabling and purging do",
        "two_tenant_tests": "tests run with two tenants",
    },
    "silver": {
        "reauth": "an expired session leads a person through signing in again",
        "errors_classified": "failures are told apart: settings, credentials, rate, passing, final",
        "logged_once": "an outage is logged when it begins and when it ends",
        "drains": "work in flight is finished or parked when the plugin is switched off",
        "coverage": "tests cover at least 90 % of the branches",
    },
    "gold": {
        "reconfigured": "settings change without losing state",
        "diagnostics": "the diagnostics contain what support needs and no secrets",
        "repairs": "problems name a way to mend them",
        "translated": "all texts exist in every language the manifest names",
        "backtest_safe": "steps plan without effects",
        "drilled": "the load drill has been passed",
    },
    "platinum": {
        "typed": "the type checker passes in strict mode",
        "reconciled": "both sides are compared regularly",
        "compensated": "every effect can be undone or is marked as final",
    },
}
RULES: frozenset[str] = frozenset(rule for rules in TIERS.values() for rule in rules)
MIN_REASON = 10


def tier_of(stated: Mapping[str, str]) -> str:
    """The highest tier whose rules, and all below, are stated; empty when not even bronze is."""
    reached = ""
    for tier, rules in TIERS.items():
        if not rules.keys() <= stated.keys():
            break
        reached = tier
    return reached


def missing_for(tier: str, stated: Mapping[str, str]) -> list[str]:
    """The rules of `tier` that are neither done nor exempt."""
    return [rule for rule in TIERS[tier] if rule not in stated]
