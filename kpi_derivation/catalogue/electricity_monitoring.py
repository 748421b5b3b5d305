"""EC:ICT:ES:2A Electricity Supply ICT Monitoring: km of network watched by ICT / km of network, % (p45).

The denominator is unconfirmed; it has the form of the drainage KPI (p43). Both figures stand in [city].
"""

from __future__ import annotations

from kpi_derivation.rules.ratios import registry_percent

CODE = "EC:ICT:ES:2A"
METHOD = "electricity-monitoring/1 (unconfirmed formula)"
REGION = "ratio"
derive = registry_percent("electricity_monitored_km", "electricity_network_km")
