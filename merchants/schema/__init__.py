"""GraphQL types of the merchants subgraph."""
