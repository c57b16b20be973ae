"""Promotions: what they promise, what they take off, how many units are left."""
