"""What if: charging, scenarios, effects of measures and forecasts, on the curves that were measured. Pure."""
