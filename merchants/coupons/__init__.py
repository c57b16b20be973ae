"""Coupons: what templates promise, and how each coupon lives."""
