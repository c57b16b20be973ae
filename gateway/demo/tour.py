"""What to try in the invented alliance: tokens, links and operations, as text."""

from __future__ import annotations

import orjson

from gateway.demo.session import Guide, variables_to_try
from gateway.feeding.tokens import FeedTokens

MY_CARD = (
    "{ me { card { number points { available } "
    "memberships(first: 10) { nodes { merchant { name nameEn } "
    "wallet { tier { name } } } } } } }"
)


def tour(guide: Guide, tokens: FeedTokens, url: str) -> str:
    """Text that a newcomer can follow from top to bottom.

    Args:
        url: where the server answers, without a path.
    """
    member = tokens.member(guide.member_id)
    merchant = tokens.merchant(guide.merchant_id)
    admin = tokens.admin("demo")
    body = orjson.dumps({"query": MY_CARD}).decode()
    return f"""
An INVENTED alliance: 8 merchants, 300 members, two years of orders. No one in it is real.

Explorer   {url}/
GraphQL    {url}/graphql

1. The member app, as {guide.member_name}:
   {url}/#token={member}
   or on the command line:

   curl -s {url}/graphql -H 'content-type: application/json' \\
     -H 'authorization: Bearer {member}' \\
     -d '{body}'

2. The till of {guide.merchant_name}:
   {url}/#token={merchant}
   choose Identify or Quote there, with these variables:

{_variables(guide)}

3. The alliance's admin (periods, statements, settings):
   {url}/#token={admin}

Tokens are good for a day; the next start prints new ones. The data stay.
"""


def _variables(guide: Guide) -> str:
    return "\n".join(
        f"   {name:9} {orjson.dumps(variables).decode()}"
        for name, variables in variables_to_try(guide).items()
    )
