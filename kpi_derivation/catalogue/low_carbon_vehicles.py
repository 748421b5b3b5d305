"""EC:I:T:8A Low-Carbon Emission Passenger Vehicles: low-carbon passenger cars / registered passenger cars, %.

Numerator and denominator are unconfirmed. Chargers cannot give it: both figures come from the vehicle register and
stand in [city].
"""

from __future__ import annotations

from kpi_derivation.rules.ratios import registry_percent

CODE = "EC:I:T:8A"
METHOD = "low-carbon-vehicles/1 (unconfirmed formula)"
REGION = "ratio"
derive = registry_percent("low_carbon_vehicles", "passenger_vehicles")
