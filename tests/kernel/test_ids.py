import pytest

from kernel.ids import (
    MalformedId,
    RandomIds,
    SeededIds,
    derived_id,
    derived_id_within,
    is_id,
    merchant_of,
    prefix_of,
)


def test_an_id_tells_its_kind_and_its_merchant() -> None:
    ids = RandomIds()
    merchant_id = ids.new("mer")
    order_id = ids.new_within("ord", merchant_id)

    assert prefix_of(order_id) == "ord"
    assert merchant_of(order_id) == merchant_id
    assert is_id(order_id, "ord", within_merchant=True)
    assert not is_id(order_id, "ord")


def test_random_ids_sort_by_the_time_they_were_made() -> None:
    ids = RandomIds()
    made = [ids.new("mem") for _ in range(1_000)]

    assert len(set(made)) == 1_000
    assert made == sorted(made)


def test_seeded_ids_repeat_with_their_seed() -> None:
    first, second, other = SeededIds("a"), SeededIds("a"), SeededIds("b")

    assert [first.new("mem") for _ in range(3)] == [second.new("mem") for _ in range(3)]
    assert first.new("mem") != other.new("mem")


def test_derived_ids_do_not_run_their_parts_together() -> None:
    assert derived_id("per", "1", "23") != derived_id("per", "12", "3")


def test_a_derived_id_embeds_its_merchant() -> None:
    merchant_id = derived_id("mer", "tea")

    assert merchant_of(derived_id_within("mbs", merchant_id, "card")) == merchant_id


@pytest.mark.parametrize(
    "text", ["", "mem", "mem_", "mem_xyz", "mem_" + "u" * 26, "mem_" + "0" * 27]
)
def test_garbage_is_no_id(text: str) -> None:
    assert prefix_of(text) == ""
    with pytest.raises(MalformedId):
        merchant_of(text)
