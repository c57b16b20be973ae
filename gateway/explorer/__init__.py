"""The explorer: one static page that asks the gateway, without anything from elsewhere."""
