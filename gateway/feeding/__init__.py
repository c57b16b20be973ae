"""Feeds events of another time to a gateway of its own, through its GraphQL API."""
