"""What an operator does with files and messages: backup, recovery, rejects, ledger, doctor."""
