"""Every tensor of a network in a scheme, computed by layers, from the modelled memory (--values tile), PE by PE (--fidelity pe), and both.

Run as a program it compares a network of yours; further arguments go to each run:
python tests/conformance/scheme_values.py --workload resnet8_float.onnx [--calibration cifar10:data_batch_1.bin] [..]
"""

import argparse
import pathlib
import sys
import tempfile

from qsim_tensors import assert_same_tensors, dump_tensors

WIDTHS = ["w16a16", "w8a8", "w6a8", "w4a8", "w4a4", "w2a8"]
KINDS = ["weights=per_tensor", "", "weights=per_group(32)", "weights=asymmetric", "weights=per_group(32),asymmetric", "scales=power_of_two",
         "weights=per_group(32);scales=power_of_two"]
WAYS = [["--values", "tile"], ["--fidelity", "pe"], ["--fidelity", "pe", "--values", "tile"]]


def all_schemes():
    return [f"{widths}:{kind}" if kind else widths for widths in WIDTHS for kind in KINDS]


def chip_of(scheme):
    """Sums of products of 32 bits need wider accumulators."""
    return ["--set", "accumulators.width_bits=48"] if scheme.startswith("w16a16") else []


def compare_scheme(workload, inputs, scheme, folder, *arguments):
    """The number of tensors that are equal in all ways; AssertionError at the first difference."""
    options = ["--scheme", scheme, *chip_of(scheme), *arguments]
    by_layers = dump_tensors(workload, inputs, folder, *options)
    for way in WAYS:
        try:
            assert_same_tensors(dump_tensors(workload, inputs, folder, *options, *way), by_layers)
        except AssertionError as error:
            raise AssertionError(f"{scheme} with {' '.join(way)}: {error}") from error
    return len(by_layers)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", required=True)
    parser.add_argument("--scheme", action="append", help="instead of all")
    options, arguments = parser.parse_known_args()
    for scheme in options.scheme or all_schemes():
        with tempfile.TemporaryDirectory() as folder:
            equal = compare_scheme(options.workload, [], scheme, pathlib.Path(folder), *arguments)
        print(f"{scheme}: {equal} tensors equal", file=sys.stderr)


if __name__ == "__main__":
    main()
