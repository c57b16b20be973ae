"""Feeds the coupons of one chain, and their redemptions, through the GraphQL API."""
