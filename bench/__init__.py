"""The gateway beside the other ways to bring NATS subjects to browsers, measured in one run."""
