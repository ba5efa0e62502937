"""Runs a case with two programs and says where what they wrote differs."""

import dataclasses
import json
import pathlib
import shutil
import subprocess
import tempfile

TIMEOUT_SECONDS = 900
TIMED_OUT = -1


@dataclasses.dataclass
class Case:
    """`arguments` behind the program's name; `files`: inputs to write into the folder of the run, name to text."""

    name: str
    arguments: list
    files: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Outcome:
    exit_code: int
    outputs: dict  # name to bytes: stdout, stderr, and each file that the run wrote

    @property
    def ran(self):
        return self.exit_code == 0


class Number(str):
    """A JSON number with a fraction or exponent, as it was written: 1.0 and 1.00 differ."""


def exact_json(content):
    return json.loads(content, parse_float=Number)


def text_mapping(mapping):
    """A mapping as reports of schema_version 1 have it: fewer values, sizes as texts."""
    if mapping["unit"] == "host":
        return {key: str(value) for key, value in mapping.items()}
    tile = mapping["output_tile"]
    inputs = mapping["input_in"]
    kept = {"unit": mapping["unit"],
            "output_tile": f"{tile['rows']}x{tile['columns']}x{tile['channels']}",
            "input_in": inputs[0] if isinstance(inputs, list) else inputs}
    texts = {}
    for key in ("unit", "loop_order", "output_tile", "pixels_per_pass", "column_tile", "groups_per_tile", "weight_blocks",
                "reduction_parts", "weights_in", "input_in", "output_in", "converts_for"):
        if key in mapping:
            texts[key] = str(kept.get(key, mapping[key]))
    return texts


def normalized(name, content, with_text_mappings=False):
    """`content` of output `name` without what is allowed to differ: the only such place.

    * `qsim` in a report and what --version prints: the version of the program.
    * `estimated_cycles`, which older programs do not print.
    * `schema_version` 2 of a report against 1: what version 1 had of a mapping, the numbers as its texts
      (`with_text_mappings`).
    """
    if name.endswith("report.json"):
        report = exact_json(content)
        report.pop("qsim", None)
        for layer in report["layers"]:
            layer.pop("estimated_cycles", None)
        if with_text_mappings and report["schema_version"] == 2:
            report["schema_version"] = 1
            for layer in report["layers"]:
                layer["mapping"] = text_mapping(layer["mapping"])
        return report
    return content


def is_version_1(name, *contents):
    return name.endswith("report.json") and any(exact_json(content)["schema_version"] == 1 for content in contents)


def run(program, case, folder):
    """All outputs of `case`. Both programs run in folders of the same form, so that messages and paths are equal."""
    folder.mkdir()
    for name, text in case.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    try:
        process = subprocess.run([program, *map(str, case.arguments)], cwd=folder, capture_output=True, check=False,
                                 timeout=TIMEOUT_SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return Outcome(TIMED_OUT, {})
    outputs = {"stdout": process.stdout, "stderr": process.stderr}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and str(path.relative_to(folder)) not in case.files:
            outputs[str(path.relative_to(folder))] = path.read_bytes()
    return Outcome(process.returncode, outputs)


def shown(value, limit=60):
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, bytes) else repr(value)
    return text if len(text) <= limit else text[:limit] + ".."


def first_json_difference(old, new, path="$"):
    """Path and both values of the first place, in document order, where two JSON values differ; None where none does."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(k for k in new if k not in old)]:
            if key not in old or key not in new:
                return f"{path}.{key}: {'absent' if key not in old else 'there'} before, " \
                       f"{'absent' if key not in new else 'there'} now"
            found = first_json_difference(old[key], new[key], f"{path}.{key}")
            if found:
                return found
        return None if list(old) == list(new) else f"{path}: keys in another order"
    if isinstance(old, list) and isinstance(new, list):
        for i, (a, b) in enumerate(zip(old, new)):
            found = first_json_difference(a, b, f"{path}[{i}]")
            if found:
                return found
        return None if len(old) == len(new) else f"{path}: {len(old)} entries before, {len(new)} now"
    same = type(old) is type(new) and old == new
    return None if same else f"{path}: {shown(old)} before, {shown(new)} now"


def first_byte_difference(old, new):
    """Line, and both texts there; or the offset in a binary file."""
    try:
        lines = old.decode().split("\n"), new.decode().split("\n")
    except UnicodeDecodeError:
        at = next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
        return f"byte {at} of {len(old)} before and {len(new)} now"
    for number, (a, b) in enumerate(zip(*lines), start=1):
        if a != b:
            return f"line {number}: {shown(a)} before, {shown(b)} now"
    return f"{len(lines[0])} lines before, {len(lines[1])} now"


def output_difference(name, old, new):
    """Of one output that both have. Bytes count; a report is compared by value where its bytes may differ."""
    if old == new:
        return None
    with_text_mappings = is_version_1(name, old, new)
    old, new = normalized(name, old, with_text_mappings), normalized(name, new, with_text_mappings)
    if isinstance(old, bytes):
        if name.endswith(".json"):
            try:
                return first_json_difference(exact_json(old), exact_json(new)) or first_byte_difference(old, new)
            except ValueError:
                pass
        return first_byte_difference(old, new)
    return first_json_difference(old, new)


def difference(old, new):
    """What to say of the first difference, or None. Other texts on stderr count: messages are results too."""
    if TIMED_OUT in (old.exit_code, new.exit_code):
        return f"no end within {TIMEOUT_SECONDS} s"
    if old.exit_code != new.exit_code:
        return f"exit code {old.exit_code} before, {new.exit_code} now: {shown(new.outputs['stderr'], 300)}"
    if old.exit_code < 0 or old.exit_code >= 70:
        return f"both end with exit code {old.exit_code}: {shown(new.outputs['stderr'], 300)}"
    if set(old.outputs) != set(new.outputs):
        return f"other files: {sorted(set(old.outputs) ^ set(new.outputs))}"
    for name in sorted(old.outputs, key=lambda name: (name != "report.json", name in ("stdout", "stderr"), name)):
        found = output_difference(name, old.outputs[name], new.outputs[name])
        if found:
            return f"{name}: {found}"
    return None


def compare(programs, case, keep=None):
    """(difference or None, whether the program ran to its end). `keep`: a folder that gets the files of a difference."""
    with tempfile.TemporaryDirectory(prefix="qsim_regression_") as scratch:
        folders = [pathlib.Path(scratch) / side for side in ("old", "new")]
        outcomes = [run(program, case, folder) for program, folder in zip(programs, folders)]
        found = difference(*outcomes)
        if found and keep:
            target = pathlib.Path(keep) / case.name.replace("/", "_").replace(" ", "_")
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(scratch, target)
            (target / "arguments").write_text("\n".join(map(str, case.arguments)) + "\n", encoding="utf-8")
        return found, outcomes[0].ran
