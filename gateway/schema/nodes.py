"""What `node` can find, and the entities that other subgraphs hold."""

from __future__ import annotations

import strawberry


@strawberry.interface(description="Anything that `node` can find by its id.")
class Node:
    """Anything with an id."""

    id: strawberry.ID = strawberry.field(description="TypeID, opaque, for ever.")
