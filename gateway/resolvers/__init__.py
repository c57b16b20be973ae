"""Functions that fill the alliance subgraph's fields.

Types name their resolvers in their classes, so the types are read first.
"""

import gateway.schema.mutation
import gateway.schema.query  # noqa: F401
