"""Tests of device families."""
