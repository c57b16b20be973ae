"""The HTTP server: requests, limits, answers, the explorer page."""
