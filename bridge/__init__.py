"""The parts `main.py` and `handler.py` are made of. Nothing in here imports those two."""

__version__ = "0.1.0"
