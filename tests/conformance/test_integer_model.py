"""Layers of every scheme compute what a slow model of arbitrary-precision integers does (integer_layers.py runs more of them)."""

import random
from fractions import Fraction

import pytest
from integer_layers import compare_case
from integer_model import SHIFT_ROUNDINGS


@pytest.mark.parametrize("seed", range(6))
def test_random_layers_equal_the_model(tmp_path, seed):
    layers, _, grouped = compare_case(tmp_path, random.Random(f"ci {seed}"))
    assert layers == 10 and grouped > 0


@pytest.mark.parametrize("arguments", [["--values", "tile"], ["--fidelity", "pe"], ["--fidelity", "pe", "--values", "tile"]])
def test_values_from_the_modelled_memory_equal_the_model(tmp_path, arguments):
    layers, _, grouped = compare_case(tmp_path, random.Random("ci memory 2"), arguments)
    assert layers == 10 and grouped > 0


@pytest.mark.parametrize("rounding", SHIFT_ROUNDINGS)
def test_shifts_of_the_modelled_requantizer_follow_the_rule_of_the_machine(tmp_path, rounding):
    compare_case(tmp_path, random.Random("5 20"), ["--values", "tile"], shift_rounding=rounding)


@pytest.mark.parametrize("overflow", ["wrap", "saturate"])
def test_layers_overflow_narrow_accumulators_where_the_model_does(tmp_path, overflow):
    chip = {"accumulator_bits": 16, "overflow": overflow}
    _, overflowed, grouped = compare_case(tmp_path, random.Random(f"ci {overflow}"), **chip)
    assert overflowed > 0 and grouped > 0


def test_the_rules_for_ties_of_a_shift():
    halves = [Fraction(n, 2) for n in (-5, -3, -1, 1, 3, 5)]
    assert [SHIFT_ROUNDINGS["half_up"](v) for v in halves] == [-2, -1, 0, 1, 2, 3]
    assert [SHIFT_ROUNDINGS["half_away"](v) for v in halves] == [-3, -2, -1, 1, 2, 3]
    assert [SHIFT_ROUNDINGS["half_even"](v) for v in halves] == [-2, -2, 0, 0, 2, 2]
    assert [SHIFT_ROUNDINGS["truncate"](v) for v in halves] == [-3, -2, -1, 0, 1, 2]
