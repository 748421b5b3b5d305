"""EC:ICT:WS:2A Water Supply ICT Monitoring: km of water network watched by ICT / km of water network, %.

Numerator and denominator are unconfirmed; they have the form of the drainage KPI (p43). Both stand in [city].
"""

from __future__ import annotations

from kpi_derivation.rules.ratios import registry_percent

CODE = "EC:ICT:WS:2A"
METHOD = "water-monitoring/1 (unconfirmed formula)"
REGION = "ratio"
derive = registry_percent("water_monitored_km", "water_network_km")
