"""Long runs: through faults, and under load."""
