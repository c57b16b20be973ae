"""A small model of a ledger's cards: plain lists in memory, and nothing that the ledger shares.

It says what each request must be answered and what each card then has; docs/rules/points.md in a
hundred lines. Money is not modelled but for the funding that backs the lots.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DAY = 24 * 60 * 60 * 1_000_000
GRACE = 30 * DAY


@dataclass
class Lot:
    """Units of one asset; instants in microseconds."""

    asset: str
    units: int
    active: int
    expires: int
    order: str | None = None
    left: int = 0
    held: int = 0

    def __post_init__(self) -> None:
        self.left = self.units

    @property
    def free(self) -> int:
        return self.left - self.held


@dataclass
class Order:
    card: str | None
    earned: int
    asked: dict[str, int]
    burned: dict[str, list[list]]
    returned: dict[str, int] = field(default_factory=lambda: {"P": 0, "C": 0})
    restored: dict[str, int] = field(default_factory=lambda: {"P": 0, "C": 0})
    reversed: int = 0


@dataclass
class Attempt:
    card: str
    state: str
    parts: list[tuple[Lot, int]] = field(default_factory=list)


class Model:
    """Cards, attempts, orders and debts."""

    def __init__(self) -> None:
        self.lots: dict[str, list[Lot]] = {}
        self.debts: dict[str, list[int]] = {}
        self.attempts: dict[str, Attempt] = {}
        self.orders: dict[str, Order] = {}

    def hold(self, attempt: str, card: str, points: int, coins: int, now: int) -> str:
        """HELD, or the refusal's name."""
        if attempt in self.attempts:
            return "AttemptReleased"
        if points and self.owed(card):
            return "DebtOpen"
        picks = {asset: self._spendable(card, asset, now) for asset in "PC"}
        for asset, wanted, refusal in (
            ("P", points, "InsufficientPoints"),
            ("C", coins, "InsufficientCoins"),
        ):
            if sum(lot.free for lot in picks[asset]) < wanted:
                return refusal
        parts = self._pick(picks["P"], points) + self._pick(picks["C"], coins)
        for lot, units in parts:
            lot.held += units
        self.attempts[attempt] = Attempt(card, "HELD", parts)
        return "HELD"

    def release(self, attempt: str, card: str, now: int) -> tuple[int, int]:
        """Points and coins that became free."""
        found = self.attempts.setdefault(attempt, Attempt(card, "RELEASED"))
        if found.state != "HELD":
            return 0, 0
        found.state = "RELEASED"
        for lot, units in found.parts:
            lot.held -= units
            if lot.expires <= now:
                lot.left -= units
        self._repay(found.card, now)
        points = sum(units for lot, units in found.parts if lot.asset == "P")
        return points, sum(units for lot, units in found.parts if lot.asset == "C")

    def order(
        self, order: str, card: str | None, attempt: str | None, *, spent: int, coins: int,
        earned: int, now: int, active: int, expires: int,
    ) -> tuple[int, int, int]:  # fmt: skip
        """Points and coins burned, and points of debt repaid."""
        if card is None:
            self.orders[order] = Order(None, 0, {"P": 0, "C": 0}, {"P": [], "C": []})
            return 0, 0, 0
        parts = self._captured(attempt, card)
        asked = {"P": spent, "C": coins}
        burned: dict[str, list[list]] = {"P": [], "C": []}
        for asset in "PC":
            wanted = asked[asset]
            for lot, units in parts:
                if lot.asset == asset and wanted:
                    wanted -= self._burn(burned[asset], lot, min(units, wanted))
            for lot in self._spendable(card, asset, now) if wanted else ():
                wanted -= self._burn(burned[asset], lot, min(lot.free, wanted))
        for lot, units in parts:
            taken = sum(each[1] for each in burned[lot.asset] if each[0] is lot)
            if lot.expires <= now:
                lot.left -= units - taken
        if earned:
            self._lots(card).append(Lot("P", earned, active, expires, order))
        self.orders[order] = Order(card, earned, asked, burned)
        before = self.owed(card)
        self._repay(card, now)
        total = {asset: sum(each[1] for each in burned[asset]) for asset in "PC"}
        return total["P"], total["C"], before - self.owed(card)

    def refund(
        self, order: str, *, kept: int, points: int, coins: int, now: int
    ) -> tuple[int, int, int, int, int]:
        """Clawed back, owed, points and coins returned, debt repaid."""
        it = self.orders[order]
        if it.card is None:
            return 0, 0, 0, 0, 0
        returned = [
            self._return(it, asset, asked, now) for asset, asked in (("P", points), ("C", coins))
        ]
        before = self.owed(it.card)
        self._repay(it.card, now)
        repaid = before - self.owed(it.card)
        wanted = max(0, it.earned - max(0, kept) - it.reversed)
        it.reversed += wanted
        free = [lot for lot in self._fifo(it.card, "P") if lot.expires > now]
        free.sort(key=lambda lot: lot.order != order)
        missing = wanted
        for lot, units in self._pick(free, wanted):
            lot.left -= units
            missing -= units
        if missing:
            self.debts.setdefault(it.card, []).append(missing)
        return wanted, missing, *returned, repaid

    def grant(self, card: str, coins: int, *, now: int, expires: int) -> None:
        self._lots(card).append(Lot("C", coins, now, expires))

    def sweep(self, now: int) -> None:
        for lots in self.lots.values():
            for lot in lots:
                if lot.expires <= now:
                    lot.left = lot.held

    def owed(self, card: str) -> int:
        return sum(self.debts.get(card, ()))

    def standing(self, card: str, now: int) -> tuple[int, int, int, int, int, int]:
        """Available, held, pending, debt, coins available, coins held."""
        lots = self._lots(card)
        points = [lot for lot in lots if lot.asset == "P"]
        coins = [lot for lot in lots if lot.asset == "C"]
        return (
            sum(lot.free for lot in points if lot.active <= now < lot.expires),
            sum(lot.held for lot in points),
            sum(lot.free for lot in points if now < lot.active and now < lot.expires),
            self.owed(card),
            sum(lot.free for lot in coins if lot.active <= now < lot.expires),
            sum(lot.held for lot in coins),
        )

    def units(self) -> int:
        """All points and coins that are left in lots."""
        return sum(lot.left for lots in self.lots.values() for lot in lots)

    def _lots(self, card: str) -> list[Lot]:
        return self.lots.setdefault(card, [])

    def _fifo(self, card: str, asset: str) -> list[Lot]:
        lots = [lot for lot in self._lots(card) if lot.asset == asset and lot.free > 0]
        return sorted(lots, key=lambda lot: lot.expires)

    def _spendable(self, card: str, asset: str, now: int) -> list[Lot]:
        return [lot for lot in self._fifo(card, asset) if lot.active <= now < lot.expires]

    def _pick(self, lots: list[Lot], wanted: int) -> list[tuple[Lot, int]]:
        parts = []
        for lot in lots:
            if wanted and lot.free:
                parts.append((lot, min(lot.free, wanted)))
                wanted -= parts[-1][1]
        return parts

    def _captured(self, attempt: str | None, card: str) -> list[tuple[Lot, int]]:
        if attempt is None:
            return []
        found = self.attempts.setdefault(attempt, Attempt(card, "CAPTURED"))
        if found.state != "HELD" or found.card != card:
            return []
        found.state = "CAPTURED"
        for lot, units in found.parts:
            lot.held -= units
        return found.parts

    def _burn(self, burned: list[list], lot: Lot, units: int) -> int:
        if units:
            lot.left -= units
            burned.append([lot, units, 0])
        return units

    def _repay(self, card: str, now: int) -> None:
        debts = self.debts.get(card, [])
        while debts:
            parts = self._pick([x for x in self._fifo(card, "P") if x.expires > now], debts[0])
            for lot, units in parts:
                lot.left -= units
                debts[0] -= units
            if debts[0]:
                return
            debts.pop(0)

    def _return(self, it: Order, asset: str, asked: int, now: int) -> int:
        assert it.card is not None
        asked = min(asked, it.asked[asset] - it.returned[asset])
        if asked <= 0:
            return 0
        it.returned[asset] += asked
        burned = sum(each[1] for each in it.burned[asset])
        in_total = (2 * burned * it.returned[asset] + it.asked[asset]) // (2 * it.asked[asset])
        back = wanted = in_total - it.restored[asset]
        it.restored[asset] = in_total
        for part in reversed(it.burned[asset]):
            lot, units, done = part
            now_back = min(wanted, units - done)
            if now_back and lot.expires <= now:
                active = min(lot.active, now)
                self._lots(it.card).append(Lot(asset, now_back, active, now + GRACE))
            else:
                lot.left += now_back
            part[2] += now_back
            wanted -= now_back
        return back
