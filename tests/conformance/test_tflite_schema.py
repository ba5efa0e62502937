"""The numbers of qsim's TFLite schema and operators are those of the format's published Python package."""

import inspect
import pathlib
import re

import pytest
import tflite

ROOT = pathlib.Path(__file__).parents[2]
SCHEMA = (ROOT / "workloads/readers/tflite/schema.fbs").read_text()
# Tables with names of their own: the published ones.
PUBLISHED = {
    "ConvolutionOptions": "Conv2DOptions", "DepthwiseOptions": "DepthwiseConv2DOptions", "PoolOptions": "Pool2DOptions",
    "TransposedConvolutionOptions": "TransposeConvOptions", "ExponentOptions": "SoftmaxOptions", "SumOptions": "AddOptions",
    "ProductOptions": "MulOptions", "BilinearOptions": "ResizeBilinearOptions",
    "NearestOptions": "ResizeNearestNeighborOptions", "SlopeOptions": "LeakyReluOptions",
    "BatchProductOptions": "BatchMatMulOptions", "ApproximationOptions": "GeluOptions",
    "Quantization": "QuantizationParameters", "Subgraph": "SubGraph", "Sum": "AddOptions", "Difference": "SubOptions"}
FIELDS = {"activation": "FusedActivationFunction", "dilation_w": "DilationWFactor", "dilation_h": "DilationHFactor",
          "filter_w": "FilterWidth", "filter_h": "FilterHeight"}
TABLES = [name for name, body in re.findall(r"table (\w+) \{(.*?)\}", SCHEMA, re.DOTALL) if ":" in body]


def published_fields(table):
    """{vtable offset: name} of a table of the package."""
    fields = {}
    for name, function in inspect.getmembers(getattr(tflite, PUBLISHED.get(table, table)), inspect.isfunction):
        offset = re.search(r"_tab\.Offset\((\d+)\)", inspect.getsource(function))
        if offset and not name.endswith(("AsNumpy", "Length", "IsNone")):
            fields[int(offset[1])] = name
    return fields


def fields(table):
    """[(vtable offset, name)] of those that qsim reads; a union takes two numbers."""
    body = re.search(rf"table {table} \{{(.*?)\}}", SCHEMA, re.DOTALL)[1]
    found, number = [], 0
    for name, kind in re.findall(r"^  (\w+): (.*);$", body, re.MULTILINE):
        number += kind == "Options"
        if "deprecated" not in kind:
            found.append((4 + 2 * number, FIELDS.get(name, name.title().replace("_", ""))))
        number += 1
    return found


@pytest.mark.parametrize("table", TABLES)
def test_fields_have_the_published_numbers(table):
    assert fields(table)
    published = published_fields(table)
    assert [(offset, published.get(offset)) for offset, _ in fields(table)] == fields(table)


def test_sums_and_differences_have_the_same_fields():
    assert published_fields("Sum") == published_fields("Difference")


def test_members_of_the_options_union_have_the_published_numbers():
    union = re.search(r"union Options \{(.*?)\}", SCHEMA, re.DOTALL)[1]
    members = re.findall(r"^  (\w+)(?:: \w+)? = (\d+)", union, re.MULTILINE)
    assert len(members) == union.count("=")
    for name, number in members:
        assert getattr(tflite.BuiltinOptions, PUBLISHED.get(name, name)) == int(number)


@pytest.mark.parametrize("enum, published", [("ElementCode", tflite.TensorType), ("PaddingCode", tflite.Padding),
                                             ("ActivationCode", tflite.ActivationFunctionType)])
def test_enumerators_have_the_published_values(enum, published):
    body = re.search(rf"enum {enum} : byte \{{(.*?)\}}", SCHEMA, re.DOTALL)[1]
    values = re.findall(r"(\w+) = (\d+)", body)
    assert values
    for name, value in values:
        assert getattr(published, name) == int(value)


def test_operators_have_the_published_codes_and_names():
    sources = "".join(path.read_text() for path in (ROOT / "workloads/readers/tflite").glob("operators_*.cpp"))
    rows = re.findall(r'\.code = (\d+), \.name = "(\w+)"', sources)
    unary = (ROOT / "workloads/ops/unary.cpp").read_text()
    rows += re.findall(r'\.tflite = \{(?:\.builtin_code = )?(\d+), (?:\.name = )?"(\w+)"', unary)
    table = (ROOT / "workloads/readers/tflite/operator_table.cpp").read_text()
    names = "".join(re.findall(r'"([^"]*)"', re.search(r"kOtherNames =(.*?);", table, re.DOTALL)[1])).split()
    for code, name in rows:
        assert names[int(code)] in ("-", name)  # Two rows may be one operator.
        names[int(code)] = name
    published = {value: name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int)}
    assert names[:len(published)] == [published[code] for code in range(len(published))]
