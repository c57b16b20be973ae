"""Coupons that members pass on."""
