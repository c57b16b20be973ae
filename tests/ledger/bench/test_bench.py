from ledger.bench.run import Size, measure_ledger


def test_the_benchmark_tells_each_figure_beside_its_yardstick() -> None:
    told: list[str] = []

    measure_ledger(told.append, Size(orders=120, rounds=1, entries=400, lots=100, is_profiled=True))

    heads = [line.split(":")[0].strip() for line in told]
    assert heads == [
        "disk", "yardstick", "1 clients", "32 clients", "64 clients", "256 clients", "1000 clients",
        "no queue", "transfers of two legs, 256 clients", "all at one merchant",
        "spends over three lots", "spend from a card of many lots", "spread", "spends",
        "chain", "verify", "PostgreSQL",
    ]  # fmt: skip
