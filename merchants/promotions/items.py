"""What each line costs after prices of goods: the first layer of a price. Pure.

Source: docs/rules/pricing.md, rules 10 to 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.units import apportion, share_bp
from merchants.offers import CartLine, StockUnits
from merchants.promotions.bundles import Bundle, Pack, pack
from merchants.promotions.terms import Promotion, PromotionKind, covers

Shares = tuple[tuple[str, int], ...]
"""What each decision takes off some units, by decision id, in the order of taking."""

Parts = tuple[tuple[int, int], ...]
"""Units of one line that cost alike: how many, and what is left of them together."""


@dataclass(frozen=True, slots=True)
class UnitRule:
    """A price for units of goods: `price_minor`, or `off_bps` off the public price.

    Attributes:
        is_members: a member price or a tier's percentage, not a public promotion.
        stacks: a member's percentage is taken off its price too.
        lines: which lines it covers, by position.
    """

    decision_id: str
    price_minor: int | None
    off_bps: int
    is_members: bool
    stacks: bool
    lines: frozenset[int]

    def saving(self, amount_minor: int, units: int) -> int:
        """What it takes off so many units that cost `amount_minor` before."""
        if self.price_minor is None:
            return share_bp(amount_minor, self.off_bps)
        price_minor = units * self.price_minor
        return amount_minor - price_minor if amount_minor > price_minor else 0


@dataclass(frozen=True, slots=True)
class FlashRule:
    """A unit price for as many units as its stock has left."""

    rule: UnitRule
    left: int


@dataclass(frozen=True, slots=True)
class ItemRules:
    """All that prices goods, for one buyer."""

    units: tuple[UnitRule, ...] = ()
    flashes: tuple[FlashRule, ...] = ()
    bundles: tuple[Bundle, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemPrices:
    """What goods cost: by line, each decision's share in the order of taking.

    Attributes:
        stock: units that flash sales give.
        parts: by line, its units where they do not all cost alike; empty where they do.
    """

    shares: tuple[Shares, ...]
    stock: tuple[StockUnits, ...]
    parts: tuple[Parts, ...]

    @property
    def total(self) -> int:
        """What is taken off in all."""
        return sum(amount for line in self.shares for _, amount in line)


def unit_rule(promotion: Promotion, lines: Sequence[CartLine]) -> UnitRule:
    """The rule of a LIMITED_PRICE, MEMBER_PRICE or FLASH_SALE promotion for these lines."""
    terms = promotion.terms
    return UnitRule(
        decision_id=promotion.promotion_id,
        price_minor=terms.price_minor,
        off_bps=terms.percent_off_bps or 0,
        is_members=terms.kind is PromotionKind.MEMBER_PRICE,
        stacks=terms.stacks,
        lines=frozenset(index for index, line in enumerate(lines) if covers(terms, line)),
    )


def item_prices(lines: Sequence[CartLine], rules: ItemRules) -> ItemPrices:
    """The lowest prices of goods under these rules.

    Each unit has one price: of a bundle, of a flash sale, or the best of what else covers its
    line. Bundles are taken only when the cart costs less with them.

    Source: docs/rules/pricing.md, rules 10 to 13.
    """
    plain = _priced(lines, rules, ())
    if not rules.bundles:
        return plain
    references = [
        line.list_minor - sum(amount for _, amount in shares)
        for line, shares in zip(lines, plain.shares, strict=True)
    ]
    packs = pack(rules.bundles, lines, references)
    if not packs:
        return plain
    packed = _priced(lines, rules, packs)
    return packed if packed.total > plain.total else plain


def _priced(lines: Sequence[CartLine], rules: ItemRules, packs: Sequence[Pack]) -> ItemPrices:
    taken: list[list[tuple[str, int]]] = [[] for _ in lines]
    parts: list[list[tuple[int, int]]] = [[] for _ in lines]
    open_units = [line.quantity for line in lines]
    by_line = _by_line(rules.units, len(lines))
    for each in packs:
        _take_pack(each, lines, by_line, taken, parts, open_units)
    stock = []
    for flash in rules.flashes:
        units = _take_flash(flash, lines, by_line, taken, parts, open_units)
        if units:
            stock.append(StockUnits(flash.rule.decision_id, units))
    for index, line in enumerate(lines):
        if open_units[index]:
            shares, saving = _best(by_line[index], line, open_units[index])
            taken[index].extend(shares)
            if parts[index]:
                rest = open_units[index] * line.unit_price_minor - saving
                parts[index].append((open_units[index], rest))
    return ItemPrices(
        tuple(_joined(shares) for shares in taken),
        tuple(stock),
        tuple(tuple(each) if len(each) > 1 else () for each in parts),
    )


@dataclass(frozen=True, slots=True)
class _LineRules:
    """What covers one line; `off` is the best percentage that members have on it, or None."""

    public: tuple[UnitRule, ...]
    members: tuple[UnitRule, ...]
    off: UnitRule | None


def _by_line(rules: Sequence[UnitRule], count: int) -> list[_LineRules]:
    public: list[list[UnitRule]] = [[] for _ in range(count)]
    members: list[list[UnitRule]] = [[] for _ in range(count)]
    off: list[UnitRule | None] = [None] * count
    for rule in sorted(rules, key=lambda each: each.decision_id):
        kept = members if rule.is_members else public
        is_percentage = rule.is_members and rule.price_minor is None
        for index in rule.lines:
            kept[index].append(rule)
            if is_percentage:
                best = off[index]
                if best is None or rule.off_bps > best.off_bps:
                    off[index] = rule
    return [
        _LineRules(tuple(mine), tuple(theirs), percentage)
        for mine, theirs, percentage in zip(public, members, off, strict=True)
    ]


def _best(rules: _LineRules, line: CartLine, units: int) -> tuple[Shares, int]:
    """The shares that take most off, and their sum; the first of equals by id."""
    amount = units * line.unit_price_minor
    best: Shares = ()
    most = 0
    for rule in (*rules.public, *rules.members):
        shares = _stacked(rule, rule.saving(amount, units), amount, rules.off)
        total = shares[0][1]
        if len(shares) > 1:
            total += shares[1][1]
        if total > most:
            best, most = shares, total
    return best, most


def _stacked(rule: UnitRule, saving: int, amount: int, off: UnitRule | None) -> Shares:
    """A rule's share, and the member's percentage of the rest where the two stack."""
    first = (rule.decision_id, saving)
    if not rule.stacks or off is None:
        return (first,)
    return (first, (off.decision_id, off.saving(amount - saving, 0)))


def _take_flash(
    flash: FlashRule,
    lines: Sequence[CartLine],
    by_line: Sequence[_LineRules],
    taken: list[list[tuple[str, int]]],
    parts: list[list[tuple[int, int]]],
    open_units: list[int],
) -> int:
    """Gives the flash sale's units to the lines that gain most by it; how many."""
    left = flash.left
    for index in sorted(flash.rule.lines, key=lambda index: _flash_rank(index, lines, by_line)):
        units = min(left, open_units[index])
        if units == 0:
            continue
        line, rules = lines[index], by_line[index]
        amount = units * line.unit_price_minor
        shares = _stacked(flash.rule, flash.rule.saving(amount, units), amount, rules.off)
        rest = open_units[index] - units
        # Rounding is by line, so the whole line is compared and not these units alone.
        whole = _best(rules, line, open_units[index])[1]
        remainder = _best(rules, line, rest)[1] if rest else 0
        saving = sum(share for _, share in shares)
        if saving + remainder <= whole:
            continue
        taken[index].extend(shares)
        parts[index].append((units, amount - saving))
        open_units[index] -= units
        left -= units
    return flash.left - left


def _flash_rank(
    index: int, lines: Sequence[CartLine], by_line: Sequence[_LineRules]
) -> tuple[int, int, str, int]:
    """Dearest units first, then those that no other price lowers as much."""
    line = lines[index]
    return (-line.unit_price_minor, _best(by_line[index], line, 1)[1], line.sku, index)


def _take_pack(
    packed: Pack,
    lines: Sequence[CartLine],
    by_line: Sequence[_LineRules],
    taken: list[list[tuple[str, int]]],
    parts: list[list[tuple[int, int]]],
    open_units: list[int],
) -> None:
    amounts = [units * lines[index].unit_price_minor for index, units in packed.units]
    savings = apportion(packed.saving_minor(lines), amounts)
    for (index, units), amount, saving in zip(packed.units, amounts, savings, strict=True):
        taken[index].append((packed.bundle.decision_id, saving))
        left = amount - saving
        off = by_line[index].off
        if packed.bundle.stacks and off is not None:
            more = off.saving(left, 0)
            taken[index].append((off.decision_id, more))
            left -= more
        parts[index].append((units, left))
        open_units[index] -= units


def _joined(shares: Sequence[tuple[str, int]]) -> Shares:
    """One share for each decision; shares of nothing left out."""
    if len(shares) < 2:
        return tuple(shares) if shares and shares[0][1] else ()
    sums: dict[str, int] = {}
    for decision_id, amount in shares:
        sums[decision_id] = sums.get(decision_id, 0) + amount
    return tuple((decision_id, amount) for decision_id, amount in sums.items() if amount)
