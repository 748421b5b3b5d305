"""Rules of meters: registers, amounts, peaks, and what is divided by them."""
