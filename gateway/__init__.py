"""The edge gateway: decode, convert, check, store raw, then acknowledge; fold dirty windows and send them on."""
