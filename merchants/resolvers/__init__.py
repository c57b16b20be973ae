"""Functions that fill the GraphQL types of the merchants subgraph."""
