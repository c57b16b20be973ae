"""The alliance subgraph's GraphQL types; `query.py` and `mutation.py` gather the root fields."""
