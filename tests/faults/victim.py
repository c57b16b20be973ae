"""A process that sells one cart and kills itself, for real, at the step that it is told.

Arguments: the town's directory, its names as JSON, the cart's coupon ids as JSON, the step.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from gateway.checkout.sale import Checkout, checkout
from tests.gateway.checkout.town import START, Names, StandingClock, run_town


async def main(directory: Path, names: Names, coupon_ids: tuple[str, ...], last: str) -> None:
    def reach(step: str) -> None:
        if step == last:
            os.kill(os.getpid(), signal.SIGKILL)

    town = await run_town(directory, names, clock=StandingClock(START), reach=reach)
    cart = town.cart(5_000, coupon_ids=coupon_ids, points=400)
    await checkout(town.desk, town.till(), Checkout("sale", cart, "no-1"))
    await town.close()


if __name__ == "__main__":
    asyncio.run(
        main(
            Path(sys.argv[1]),
            Names(**json.loads(sys.argv[2])),
            tuple(json.loads(sys.argv[3])),
            sys.argv[4],
        )
    )
