"""Tests of what operators do: backup, doctor, ledger, resend."""
