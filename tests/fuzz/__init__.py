"""Bad input at scale: mutated payloads for every decoder. 50,000 in the suite, 1,000,000 with CITYVITALS_LONG=1."""
