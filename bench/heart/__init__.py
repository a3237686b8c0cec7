"""What those who come, go and ask cost the others, and whether each of the goals is reached."""
