"""Products, additions and poolings of blocks (MXINT8) compute what a slow model of fractions does (block_layers.py runs more of them)."""

import random
from fractions import Fraction

import pytest
from block_layers import compare_case
from block_model import combine, floor_log2, make_block
from integer_model import SHIFT_ROUNDINGS


@pytest.mark.parametrize("seed", range(6))
def test_random_blocks_equal_the_model(tmp_path, seed):
    assert compare_case(tmp_path, random.Random(f"blocks {seed}"))[0] == 8


@pytest.mark.parametrize("arguments", [["--values", "tile"], ["--fidelity", "pe"]])
@pytest.mark.parametrize("seed", range(3))
def test_blocks_from_the_modelled_memory_equal_the_model(tmp_path, seed, arguments):
    assert compare_case(tmp_path, random.Random(f"memory {seed}"), arguments)[0] == 8


def test_some_sums_fall_below_and_some_overflow(tmp_path):
    found = [compare_case(tmp_path, random.Random(f"spans {seed}")) for seed in range(5)]
    assert sum(rounded for _, rounded, _ in found) > 0
    assert sum(overflowed for _, _, overflowed in found) > 0


def test_the_model_makes_the_blocks_of_the_specification():
    to_even = SHIFT_ROUNDINGS["half_even"]
    assert floor_log2(Fraction(1023, 1024)) == -1
    assert make_block([Fraction(1), Fraction(-3, 2), Fraction(1, 128)], to_even) == (0, [64, -96, 0])
    # The largest value of its exponent would round to 128.
    assert make_block([Fraction(1023, 512), Fraction(0)], to_even) == (0, [127, 0])
    assert make_block([Fraction(0)], to_even) == (-127, [0])


def test_sums_and_means_of_blocks_by_hand():
    # 1.5 * 2^3 + 1 * 2^0 = 13 of a block with 2^3 as its largest power: steps of 2^-3. Its other element is -1.
    assert combine("sum", [(3, [96, 0]), (0, [64, -64])]) == (3, [104, -8])
    assert combine("maximum", [(3, [96, 0]), (0, [64, -64])]) == (3, [96, 0])
    # (3 + 1 + 1) / 3, as 5 * 43691 / 2^17 = 1.66668: 106.67 steps of 2^-6.
    assert combine("mean", [(1, [96]), (0, [64]), (0, [64])]) == (0, [107])
    # 2^-26 of the larger block's elements is below what is kept.
    assert combine("sum", [(30, [64]), (-40, [64])]) == (30, [64])
