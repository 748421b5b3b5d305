"""EC:I:ES:3C Access to Electricity: households with an authorised connection / households, % (p77).

Households, not inhabitants, are counted. Both figures stand in [city].
"""

from __future__ import annotations

from kpi_derivation.rules.ratios import registry_percent

CODE = "EC:I:ES:3C"
METHOD = "access-to-electricity/1"
REGION = "ratio"
derive = registry_percent("households_with_electricity", "households")
