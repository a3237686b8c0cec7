"""A long run through faults: what browsers are due comes once, in order, or its loss is told."""
