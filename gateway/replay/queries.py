"""The queries that read a replayed alliance back."""

from __future__ import annotations

PERIOD = """query Period($id: ID!, $after: String) {
  clearingPeriod(id: $id) {
    id state zeroSum
    alliance { amountMinor }
    pool { closing { amountMinor } backing { amountMinor } balanced }
    statements(first: 100, after: $after) {
      nodes { merchant { id } net { amountMinor } lines { kind points } }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""

ORDERS = """query Orders($merchantId: ID!, $after: String) {
  merchant(id: $merchantId) {
    orders(first: 100, after: $after) {
      nodes { orderNo payable { amountMinor } refunded { amountMinor } pointsEarned }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""

CARD_TIERS = """query CardTiers($id: ID!, $after: String) {
  node(id: $id) {
    ... on Card {
      memberships(first: 100, after: $after) {
        nodes { merchant { id } wallet { tiers { ladder rank progress { current } } } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}"""

CARDS_AT_ONCE = 20


def standings_query(count: int, *, with_points: bool) -> str:
    """A query of `count` cards: standings in the alliance's ladders, and points if asked for."""
    variables = ", ".join(f"$c{index}: ID!" for index in range(count))
    fields = " ".join(f"c{index}: node(id: $c{index}) {{ ...Standing }}" for index in range(count))
    points = "points { available held pending debt } " if with_points else ""
    return (
        f"query Standings({variables}) {{ {fields} }} "
        f"fragment Standing on Card {{ id {points}allianceWallet {{ tiers {{ ladder rank }} }} }}"
    )
