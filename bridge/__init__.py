"""The parts `main.py` and `handler.py` are made of. Nothing in here imports those two."""
