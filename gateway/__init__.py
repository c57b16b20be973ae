"""The gateway: HTTP in front, subgraphs behind, and the alliance subgraph itself."""
