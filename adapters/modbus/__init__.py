"""Modbus devices, by pymodbus."""
