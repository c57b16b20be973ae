"""The schema tells what each thing is, and which token may ask for it."""

import re

from graphql import GraphQLObjectType

from ledger.subgraph import ledger_schema


def test_everything_public_is_described() -> None:
    types = ledger_schema().executable.type_map
    undescribed = [
        f"{name}.{field}"
        for name, type_ in types.items()
        if isinstance(type_, GraphQLObjectType) and not name.startswith("_")
        for field, definition in type_.fields.items()
        if not definition.description and not field.startswith("_")
    ]

    assert undescribed == []


def test_each_root_field_and_private_field_names_its_scopes() -> None:
    scoped = re.findall(r"(\w+)(?:\([^)]*\))?: \w+ @requiresScopes\(scopes: (.*)\)",
                        ledger_schema().sdl)  # fmt: skip

    assert dict(scoped) == {
        "deposit": '[["merchant"], ["admin"]]',
        "recordDeposit": '[["admin"]]',
        "returnDeposit": '[["admin"]]',
        "liability": '[["merchant"], ["admin"]]',
        "parkedMessages": '[["admin"]]',
        "resumeMessage": '[["admin"]]',
        "balanceAsOf": '[["member"], ["admin"]]',
        "entries": '[["member"], ["admin"]]',
        "expiryNotices": '[["member"], ["admin"]]',
        "netAsOf": '[["merchant"], ["admin"]]',
        "statement": '[["merchant"], ["admin"]]',
        "statements": '[["merchant"], ["admin"]]',
        "proposeSettlementRule": '[["admin"]]',
        "approveSettlementRule": '[["admin"]]',
        "closePeriod": '[["admin"]]',
        "grantCoins": '[["admin"]]',
        "settlementRules": '[["admin"]]',
        "simulateSettlementRule": '[["admin"]]',
        "clearingPeriods": '[["admin"]]',
        "clearingPeriod": '[["admin"]]',
    }


def test_cards_and_merchants_are_entities_known_by_their_id_alone() -> None:
    sdl = ledger_schema().sdl

    assert 'type Card @key(fields: "id")' in sdl
    assert 'type Merchant @key(fields: "id")' in sdl
