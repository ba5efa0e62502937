#!/usr/bin/env python3
"""Writes configs/energy/*.json: published figures, CACTI's sweep of memories, and the rules between them.

    scripts/make_energy_tables.py CSV [--check]

CSV: CACTI 7's results, a row a macro: size_B, block_B (word), tech_um, cell, read_pJ, write_pJ, area_mm2 and others.
--check writes nothing, prints how far the interpolation over capacity is from each point that it is made without, and
ends with 1 where a shipped table is not what would be written.

Rules. Arithmetic: Horowitz at 45 nm, Jouppi at 7 nm, and between them linear in the logarithms of node and energy.
What has no figure at 7 nm follows the 32-bit add. Memories: CACTI at 45 and 22 nm; 28 nm between the two in
logarithms; 16 and 7 nm go on from 22 nm as the 8-bit multiply does. Areas: Stillmaker's ratios. Leakage: one density
a node, that of a general-purpose library at 45 nm, along CACTI's own trend between 45 and 22 nm.
"""

import argparse
import csv
import json
import math
import statistics
import sys
from pathlib import Path

ENERGY = Path(__file__).resolve().parent.parent / "configs" / "energy"
NODES = {45: 0.9, 28: 0.9, 22: 0.8, 16: 0.8, 7: 0.7}  # nm: volts
HOROWITZ = "M. Horowitz, Computing's energy problem, ISSCC 2014"
JOUPPI = "N. Jouppi et al., Ten lessons from three generations, ISCA 2021, table 2"
ALADDIN = "Aladdin component library as in Accelergy, 40 nm"
BITFUSION = "Bit Fusion repository, systolic_array_synth.csv, 45 nm, 500 MHz"
KECKLER = "S. Keckler et al., GPUs and the future of parallel computing, IEEE Micro 31(5), 2011, table 1"
CACTI = "CACTI 7, itrs-lstp, scratchpad RAM, one read/write port, 64-bit word, 300 K"
STILLMAKER = "A. Stillmaker and B. Baas, Scaling equations for the accurate prediction of CMOS device performance, 2017"
OCONNOR = "M. O'Connor et al., Fine-Grained DRAM, MICRO 2017"

PUBLISHED = {  # pJ at 45 nm, at 7 nm, condition
    "int8_multiply": (0.2, 0.07, "8 x 8 bits"),
    "int32_multiply": (3.1, 1.48, "32 x 32 bits"),
    "int32_add": (0.1, 0.03, "32 bits"),
    "fp32_multiply": (3.7, 1.31, "float32"),
}
# A fusion unit takes the place of a multiplier of 8 x 8 bits: what it takes beyond a PE with that multiplier is its own.
FUSION_MULTIPLY = 0.2 + (0.4698 - 0.2034)  # pJ at 45 nm


def log_between(node, first, second):
    """Value at a node from two (node, value), linear in the logarithms of both, and beyond them."""
    (x0, y0), (x1, y1) = first, second
    return y0 * (y1 / y0) ** (math.log(node / x0) / math.log(x1 / x0))


def published_at(key, node):
    at45, at7, _ = PUBLISHED[key]
    return log_between(node, (45, at45), (7, at7))


def add_ratio(node):
    return published_at("int32_add", node) / published_at("int32_add", 45)


def rounded(value):
    return float(f"{value:.5g}")


def entry(key, value, unit, condition, kind, source):
    return {"key": key, "value": rounded(value), "unit": unit, "condition": condition, "kind": kind, "source": source}


def curve(key, points, unit, condition, kind, source):
    return {"key": key, "points": [[int(kib), float(f"{value:.6g}")] for kib, value in points], "unit": unit,
            "condition": condition, "kind": kind, "source": source}


def scaled(key, at45, unit, what, node, kind, source):
    """An entry that follows the 32-bit add from 45 nm on."""
    if node == 45:
        return entry(key, at45, unit, f"{what}, 45 nm, 0.9 V", kind, source)
    how = f"45 nm ({source}) x {add_ratio(node):.4f}, the 32-bit add's ratio between Horowitz, 45 nm, and Jouppi, 7 nm"
    interpolated = "assumed" if kind == "assumed" else "interpolated" if node > 7 else "extrapolated"
    return entry(key, at45 * add_ratio(node), unit, f"{what}, {node} nm, {NODES[node]} V", interpolated, how)


def arithmetic(node):
    for key, (_, _, what) in PUBLISHED.items():
        if node in (45, 7):
            kind, source = "published", f"{HOROWITZ}; the same in {JOUPPI}" if node == 45 else JOUPPI
        else:
            kind = "interpolated"
            source = f"linear in logarithms between {HOROWITZ}, 45 nm, and {JOUPPI}, 7 nm"
        yield entry(key, published_at(key, node), "pJ", f"{what}, {node} nm, {NODES[node]} V", kind, source)
    fusion = published_at("int8_multiply", node) * FUSION_MULTIPLY / PUBLISHED["int8_multiply"][0]
    yield entry("fusion_multiply", fusion, "pJ", f"a cycle of 16 bricks that fuse to 8 x 8 bits, {node} nm", "derived",
                f"{BITFUSION}: 0.4698 pJ a cycle of a fusion unit, 8 bits down to 2, less 0.2034 of a PE of 8 x 8 bits (both "
                "in arrays of 16 x 1), on top of int8_multiply" + ("" if node == 45 else "; scaled as int8_multiply"))
    scale = 45 / 40  # capacitance grows with the feature size at equal voltage
    half = "half of it data, half clock (assumed), x 45/40"
    yield scaled("register_bit", 0.0045 * scale, "pJ", "a bit written", node, "assumed",
                 f"{ALADDIN}: 0.009 pJ a bit, {half}")
    yield scaled("clock_bit", 0.0045 * scale, "pJ", "a bit clocked for a cycle, whether written or not", node, "assumed",
                 f"{ALADDIN}: 0.009 pJ a bit, {half}")
    yield scaled("shift", 0.417 * scale, "pJ", "32 bits by a variable amount", node, "derived",
                 f"{ALADDIN}: shifter 0.417 pJ; x 45/40")
    yield scaled("int32_compare", 0.02947 * scale, "pJ", "32 bits", node, "derived",
                 f"{ALADDIN}: comparator 0.02947 pJ; x 45/40")
    yield scaled("dma_byte", 8 * 3 * 0.009 * scale, "pJ", "a byte of payload", node, "assumed",
                 "assumed: three stages of registers, data and clock (Aladdin, 0.009 pJ a bit at 40 nm)")
    for key, what in (("dma_request", "to form and answer a request"), ("command", "to decode and issue a command")):
        yield scaled(key, 5.0, "pJ", what, node, "assumed",
                     "assumed: about twenty steps of a 32-bit counter (Aladdin, 0.25 pJ each)")


def fixed(node):
    volts = NODES[node]
    wire = 310 / 256 / 10 * (volts / 0.9) ** 2
    wire_source = f"{KECKLER}: 256 bits over 10 mm take 310 pJ at 40 nm and 0.9 V"
    yield entry("wire_bit_mm", wire, "pJ/mm", f"a bit over 1 mm, {volts} V", "published" if volts == 0.9 else "derived",
                wire_source + ("" if volts == 0.9 else f"; x ({volts}/0.9)^2, capacitance a mm as at 40 nm (their 10 nm, "
                               "200 pJ at 0.75 V, is 7 % below that rule)"))
    spacing_mm = 0.1 * node / 45
    yield entry("clock_tree_mm2", 2 * wire * 1.5 / spacing_mm, "pJ/mm2", f"a cycle, {volts} V", "assumed",
                f"assumed: an H-tree to leaves {spacing_mm:.3g} mm apart has 1.5 mm2 / spacing of wire; two transitions a cycle "
                "of wire_bit_mm")
    yield scaled("control_cycle", 11.0 * 45 / 40 * (0.9 / 1.1) ** 2, "pJ", "a cycle", node, "assumed",
                 "assumed: a controller like a Cortex-M3, taken as 11.0 uW/MHz in 40LP at 1.1 V (as Arm's product page is remembered; not confirmed); "
                 "x 45/40 x (0.9/1.1)^2")
    yield entry("interface_power", 2.0, "mW", "at all times", "assumed", "assumed: a PLL and the bias of the pads, 1 mW each")


def leakage(node, rows):
    def density(tech):
        row = next(r for r in rows if r["cell"] == "itrs-hp" and r["tech"] == tech and r["kib"] == 1024)
        return row["leak"] / row["area"]
    at45 = 0.02295 / 687.6e-6
    trend = log_between(node, (45, 1.0), (22, density(22) / density(45)))
    source = f"{BITFUSION}: 22.95 uW of an 8-bit PE of 687.6 um2"
    kind = "computed"
    if node != 45:
        source += (f"; x {trend:.4f}, linear in logarithms through CACTI 7, itrs-hp, 1 MiB: {density(45):.1f} mW/mm2 at 45 nm, "
                   f"{density(22):.1f} at 22 nm")
        kind = {28: "interpolated", 22: "derived"}.get(node, "extrapolated")
    yield entry("leakage_mm2", at45 * trend, "mW/mm2", f"general-purpose cells at 300 K, logic and memories, {node} nm", kind,
                source)


def logic_area_ratio(node):
    published = {45: 1.0, 32: 0.46, 20: 0.21, 16: 0.19, 7: 0.059}
    if node in published:
        return published[node]
    return log_between(node, (32, 0.46), (20, 0.21))


def areas(node):
    ratio = logic_area_ratio(node)
    kind = "interpolated" if node in (28, 22) else "derived"
    suffix = "" if node == 45 else f"; x {ratio:.4f}, area from 45 to {node} nm ({STILLMAKER}"
    suffix += "" if node == 45 else ", linear in logarithms between 32 and 20 nm)" if node in (28, 22) else ")"
    grow = (45 / 40) ** 2
    slope = (687.6 - 282.2) / (64 - 16)
    for key, value, unit, what, source in (
            ("pe_area", 687.6 - 64 * slope, "um2", "of a PE, whatever its widths",
             f"{BITFUSION}: 687.6 um2 of 8 x 8 bits, 282.2 of 4 x 4; what is left of both at 0"),
            ("pe_area_bit2", slope, "um2", "for each weight bit times activation bit",
             f"{BITFUSION}: (687.6 - 282.2) / (64 - 16)"),
            ("fusion_area_bit2", (1733 - (687.6 - 64 * slope)) / 64, "um2",
             "of a fusion unit, for each weight bit times activation bit",
             f"{BITFUSION}: 1733 um2 of a fusion unit, 8 bits down to 2, less pe_area, over 64"),
            ("int32_add_area", 278 * grow, "um2", "32 bits at 1 ns", f"{ALADDIN}: 278 um2; x (45/40)^2"),
            ("int32_multiply_area", 4970 * grow, "um2", "32 x 32 bits at 3 ns", f"{ALADDIN}: 4970 um2; x (45/40)^2"),
            ("register_bit_area", 5.98 * grow, "um2", "a bit", f"{ALADDIN}: 5.98 um2; x (45/40)^2"),
            ("shift_area", 250 * grow, "um2", "32 bits", f"{ALADDIN}: 250 um2; x (45/40)^2"),
            ("int32_compare_area", 71 * grow, "um2", "32 bits", f"{ALADDIN}: 71 um2; x (45/40)^2")):
        at45 = "computed" if source.startswith(BITFUSION) else "derived"  # of Aladdin's 40 nm
        yield entry(key, value * ratio, unit, f"{what}, {node} nm", at45 if node == 45 else kind, source + suffix)
    yield entry("control_area", 0.05 * ratio, "mm2", f"controller and DMA, {node} nm", "assumed",
                "assumed: a Cortex-M3 (0.03 mm2 in 40LP, as Arm's product page is remembered; not confirmed) x (45/40)^2, and a third of it for the DMA" + suffix)
    yield entry("wire_pitch", 4 * node * 1e-3, "um", f"{node} nm", "assumed",
                "assumed: four times the node, as CACTI's semi-global wires")


def cacti(rows, tech, column):
    return [(r["kib"], r[column]) for r in rows if r["tech"] == tech and r["cell"] == "itrs-lstp" and r["word"] == 8]


def memories(node, rows):
    multiply_ratio = published_at("int8_multiply", node) / published_at("int8_multiply", 22)
    area_ratio = logic_area_ratio(node) / logic_area_ratio(22)
    for key, column, unit in (("sram_read_64bit", "read", "pJ"), ("sram_write_64bit", "write", "pJ"),
                              ("sram_area", "area", "mm2")):
        at45, at22 = cacti(rows, 45, column), cacti(rows, 22, column)
        what = f"{'area of a macro' if unit == 'mm2' else '64 bits'}, {node} nm, by capacity"
        if node in (45, 22):
            yield curve(key, at45 if node == 45 else at22, unit, what, "computed", f"{CACTI}, {node} nm")
        elif node == 28:
            points = [(kib, log_between(28, (45, high), (22, low))) for (kib, high), (_, low) in zip(at45, at22)]
            yield curve(key, points, unit, what, "interpolated", f"{CACTI}: linear in logarithms between 45 and 22 nm")
        else:
            ratio = area_ratio if unit == "mm2" else multiply_ratio
            whose = f"area from 22 nm on, {STILLMAKER}" if unit == "mm2" else f"the 8-bit multiply's, {JOUPPI}"
            yield curve(key, [(kib, value * ratio) for kib, value in at22], unit, what, "extrapolated",
                        f"{CACTI}, 22 nm, x {ratio:.4f}: {whose}")
    if node == 7:
        points = [(8, 7.5), (32, 8.5), (1024, 14)]
        yield curve("jouppi_read_64bit", points, "pJ", "64 bits, 7 nm, caches", "published", JOUPPI)
        yield curve("jouppi_write_64bit", points, "pJ", "64 bits, 7 nm, caches", "assumed", f"as a read of {JOUPPI}")
        yield curve("jouppi_area", [(kib, value * area_ratio) for kib, value in cacti(rows, 22, "area")], "mm2",
                    "area of a macro, 7 nm, by capacity", "extrapolated", "as sram_area")


def devices():
    """Memories outside the chip: name, bytes of a row, pJ a streamed bit, mW a GB/s, and where from."""
    activate = f"{OCONNOR}: 909 pJ a row of 1 KiB of HBM2"
    for name, row, read, background, kind, source, standby in (
            ("lpddr4", 2048, 8.0, 3.0, "published", "Accelergy's LPDDR4 (public data, 512 pJ for 64 bits)",
             "assumed: a x32 package, about 40 mW in active standby at 12.8 GB/s"),
            ("lpddr5", 2048, 6.0, 2.0, "assumed", "assumed: between LPDDR4's 8 pJ and the 4 that are spoken of; no measurement found",
             "assumed: LPDDR4's standby at twice the bandwidth, a third more for the banks"),
            ("ddr3", 8192, 1300 / 64, 44.0, "published", f"{JOUPPI}: 1300 pJ for 64 bits",
             "assumed: eight devices of 70 mW in active standby at 12.8 GB/s"),
            ("ddr4", 8192, 15.0, 21.0, "assumed", "assumed: a quarter below DDR3, as 1.2 V against 1.35 V and 1.5 V; simulations give 18",
             "assumed: eight devices of 50 mW in active standby at 19.2 GB/s"),
            ("hbm2", 1024, 3.9, 4.0, "published", f"{OCONNOR}: 3.9 pJ a bit", "assumed: 1 W a stack of 256 GB/s")):
        opening = 909.0 * row / 1024
        yield entry(f"{name}_activate", opening, "pJ", f"opening and closing a row of {row} bytes",
                    "published" if row == 1024 else "derived", activate + ("" if row == 1024 else f"; x {row // 1024}"))
        yield entry(f"{name}_row", row, "B", "bytes that a row holds, read or written whole", "published", "data sheets of the kind")
        bit = read - opening / (8 * row)
        for what in ("read", "write"):
            yield entry(f"{name}_{what}_bit", bit, "pJ", "device and interface, without opening the row",
                        "assumed" if kind == "assumed" else "derived",
                        f"{source}; less {name}_activate / {8 * row} bits" + ("" if what == "read" else "; as a read"))
        yield entry(f"{name}_background", background, "mW/(GB/s)", "active standby and refresh, by peak bandwidth", "assumed",
                    standby)
        is_mobile = name.startswith("lp")
        yield entry(f"{name}_self_refresh", background / (10 if is_mobile else 3), "mW/(GB/s)",
                    "self-refresh while nothing runs, by peak bandwidth", "assumed",
                    f"assumed: a {'tenth' if is_mobile else 'third'} of {name}_background; data sheets' currents of "
                    "self-refresh (IDD6) are " + ("far" if is_mobile else "somewhat") + " below those of active standby (IDD3N)")
    yield entry("flash_activate", 0.0, "pJ", "NOR flash has no rows to open", "assumed", "by construction")
    yield entry("flash_row", 0.0, "B", "NOR flash has no rows to open", "assumed", "by construction")
    yield entry("flash_read_bit", 22.0, "pJ", "octal NOR flash, 1.8 V, device and interface", "assumed",
                "assumed: 40 mA at 1.8 V while it delivers 0.4 GB/s")
    yield entry("flash_write_bit", 2600.0, "pJ", "programming a page of 256 bytes", "assumed",
                "assumed: 20 mA at 1.8 V for 150 us a page")
    yield entry("flash_background", 0.0, "mW/(GB/s)", "standby of some uA", "assumed", "assumed: none")
    yield entry("flash_self_refresh", 0.0, "mW/(GB/s)", "flash needs none", "assumed", "by construction")


def table(node, rows):
    entries = [*arithmetic(node), *memories(node, rows), *fixed(node), *leakage(node, rows), *areas(node)]
    head = {"$schema": "../schemas/energy.schema.json", "name": f"{node}nm"}
    if node != 45:
        head["extends"] = "45nm"
    head["description"] = {45: "45 nm CMOS at 0.9 V, and memories outside the chip, from published figures",
                           28: "28 nm CMOS at 0.9 V, between 45 and 22 nm or 7 nm",
                           22: "22 nm CMOS at 0.8 V: memories of CACTI, arithmetic between 45 and 7 nm",
                           16: "16 nm CMOS at 0.8 V, arithmetic between 45 and 7 nm, memories beyond 22 nm",
                           7: "7 nm CMOS at 0.7 V, published arithmetic, memories beyond 22 nm"}[node]
    head["technology_nm"], head["voltage_v"] = node, NODES[node]
    if node == 45:
        entries += devices()
    lines = ",\n".join("    " + json.dumps(item) for item in entries)
    return json.dumps(head, indent=2)[:-2] + ',\n  "entries": [\n' + lines + "\n  ]\n}\n"


def read_rows(path):
    with open(path, encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield {"kib": int(row["size_B"]) / 1024, "word": int(row["block_B"]), "cell": row["cell"],
                   "tech": round(float(row["tech_um"]) * 1000), "read": float(row["read_pJ"]),
                   "write": float(row["write_pJ"]), "area": float(row["area_mm2"]), "leak": float(row["leak_mW"])}


def leave_one_out(rows):
    """[(relative error, node, KiB, what)] of each point of the sweeps from its neighbours, the ends from the two next."""
    errors = []
    for tech in (22, 45, 65):
        for column in ("read", "write", "area"):
            points = cacti(rows, tech, column)
            for i, (kib, value) in enumerate(points):
                others = points[:i] + points[i + 1:]
                j = min(max(i, 1), len(others) - 1)
                errors.append((log_between(kib, others[j - 1], others[j]) / value - 1, tech, kib, column))
    return errors


def print_errors(errors):
    for what in ("read", "write", "area"):
        sizes = [abs(e[0]) for e in errors if e[3] == what]
        print(f"{what}: {len(sizes)} points left out, median {100 * statistics.median(sizes):.1f} %, "
              f"largest {100 * max(sizes):.1f} %")
    for error, tech, kib, what in sorted(errors, key=lambda e: -abs(e[0])):
        if abs(error) > 0.25:
            print(f"  {tech} nm, {kib:g} KiB, {what}: {100 * error:+.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    rows = list(read_rows(arguments.csv))
    stale = []
    for node in NODES:
        path, text = ENERGY / f"{node}nm.json", table(node, rows)
        if arguments.check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(path.name)
        else:
            path.write_text(text, encoding="utf-8")
    if arguments.check:
        print_errors(leave_one_out(rows))
        for name in stale:
            print(f"{name} is not what this script writes")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
