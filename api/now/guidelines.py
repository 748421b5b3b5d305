"""Which limit each pollutant is compared with: WHO global air quality guidelines (2021), in µg/m³."""

from __future__ import annotations

# Means of 24 hours; ozone has one for eight hours only, and it is that of the highest eight hours of the day.
DAY = {"pm2_5": 15.0, "pm10": 45.0, "no2": 25.0, "so2": 40.0}
OZONE_8H = 100.0
# Annual means. None exists for ozone and sulphur dioxide: the peak-season value of ozone is another statistic.
YEAR = {"pm2_5": 5.0, "pm10": 15.0, "no2": 10.0}
# Limit values of Directive (EU) 2024/2881 for annual means: in force, and from 2030.
EU_YEAR = {"pm2_5": (25.0, 10.0), "pm10": (40.0, 20.0), "no2": (40.0, 20.0)}
