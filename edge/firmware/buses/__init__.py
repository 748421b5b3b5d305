"""What several drivers share: serial ports, Modbus, and the framing of sensor families."""
