"""Rules of air quality: stations, valid means, calibration, indices, exceedances."""
