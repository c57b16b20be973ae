"""The floor of the house: no business, imports nothing of ours."""
