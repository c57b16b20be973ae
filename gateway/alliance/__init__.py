"""The alliance subgraph as a whole: its opening, settings, tables, answered requests."""
