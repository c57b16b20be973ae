"""Feeds an order history through the GraphQL API, with the history's own clock."""
