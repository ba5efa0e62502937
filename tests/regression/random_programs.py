"""Random programs: a small network, a machine and options, all from one seed."""

import random

import random_layers
from random_graph import RandomGraph


def random_network(rng, name):
    """Workload JSON of one to six layers; now and then a layer reads another tensor than the last."""
    g = RandomGraph(rng)
    kinds = dict(random_layers.ANY_WIDTH)
    if g.bits % 8 == 0:
        kinds.update(random_layers.WHOLE_BYTES)
    batch = 2 if g.chance(0.1) else 1
    few_pixels = g.chance(0.25)
    size = (g.between(1, 2), g.between(1, 2), g.between(8, 20)) if few_pixels else (
        g.between(1, 9), g.between(1, 9), g.between(1, 20))
    x = g.add_input((batch, *size))
    for _ in range(g.between(1, 6)):
        readable = [t for t in g.tensors if len(t.shape) == 4 and t.grid.bits == g.bits and t.grid.signed == g.signed]
        if g.chance(0.2):
            x = g.rng.choice(readable)
        draw = rng.choices(list(kinds), weights=list(kinds.values()))[0]
        y = draw(g, x)
        fits = y is not None and y.grid.bits == g.bits and y.grid.signed == g.signed
        x = y if fits else g.rng.choice(readable)
    if not g.layers:
        random_layers.convolution(g, x)
    return g.json(name)


def random_buffer(rng, pick, has_activations):
    banks = pick(1, 2, 4, 16)
    buffer = {
        "capacity_kib": pick(4, 8, 16, 64), "banks": banks, "read_port_bytes": pick(1, 4, 16, 64),
        "write_port_bytes": pick(1, 8, 32, 64), "double_buffered": rng.random() < 0.7,
        "read_ports": rng.randint(1, banks), "write_ports": rng.randint(1, banks),
        "bank_conflicts": rng.random() < 0.3, "arbitration": pick("fixed", "fixed", "write_first", "read_first"),
    }
    return {**buffer, "line_buffer": False} if has_activations else buffer


def random_machine(rng, name):
    """Hardware JSON that keeps the rules of sim/config/hardware_rules.cpp."""
    pick = lambda *values: rng.choice(values)
    array = {
        "rows": rng.randint(1, 20), "columns": rng.randint(1, 20), "organization": pick("systolic", "systolic", "dot_product"),
        "dataflow": pick("weight_stationary", "output_stationary", "input_stationary"), "reduction": pick("packed", "per_tap"),
        "adder_tree_cycles": pick("auto", "auto", 0, 3, 9), "double_buffered_weights": rng.random() < 0.6,
        "weight_bits": pick(2, 4, 8, 8), "activation_bits": pick(4, 8, 8, 16),
    }
    pixels_stream = array["dataflow"] == "weight_stationary" or (
        array["dataflow"] == "output_stationary" and array["organization"] == "dot_product")
    activation_buffer = random_buffer(rng, pick, True)
    activation_buffer["line_buffer"] = pixels_stream and rng.random() < 0.3
    widths = [w for w in (16, 20, 24, 32, 32, 40, 48) if w >= array["weight_bits"] + array["activation_bits"]]
    dma = {
        "transaction_bytes": pick(64, 256, 1024), "setup_cycles": pick(0, 1, 8), "weight_prefetch": pick("halves", "halves", "ring"),
        "channel_order": pick("round_robin", "round_robin", "fixed"), "weight_granule_bytes": pick(1, 1, 16, 128),
        "pixel_granule_bytes": pick(1, 1, 4, 8, 64), "weight_ready_cycles": pick(0, 0, 46), "input_ready_cycles": pick(0, 0, 61),
    }
    if dma["pixel_granule_bytes"] % dma["transaction_bytes"] == 0:
        dma.update(line_gap_cycles=pick(0, 1, 4), upper_atom_gap_cycles=pick(0, 1))
    dram = {
        "kind": pick("simple", "simple", "simple", "simple", "none"), "bandwidth_gb_per_s": pick(0.4, 1.6, 3.2, 12.8, 25.6),
        "latency_cycles": rng.randint(0, 60), "write_bandwidth_gb_per_s": pick(0, 0, 3), "write_latency_cycles": pick(0, 0, 20),
        "burst_bytes": pick(8, 32, 64), "outstanding_requests": rng.randint(1, 16),
    }
    return {
        "name": name, "clock_mhz": pick(200, 500, 1000, 123.4), "voltage_v": pick(0.9, 0.8), "mac_array": array,
        "weight_buffer": random_buffer(rng, pick, False), "activation_buffer": activation_buffer,
        "accumulators": {
            "width_bits": rng.choice(widths), "entries": rng.randint(2, 40), "overflow": pick("wrap", "wrap", "saturate", "saturate", "trap"),
            "double_buffered": rng.random() < 0.7, "update_cycles": pick(1, 1, 1, 2, 4), "read_out_entries": rng.randint(0, 2),
        },
        "requantizer": {
            "lanes": rng.randint(1, 40), "latency_cycles": pick(0, 4, 28), "rounding_profile": pick("auto", "auto", "auto", "float64"),
            "row_read_cycles": pick(0, 0, 1, 3), "turnaround_cycles": pick(0, 0, 7, 38), "writes_through": rng.random() < 0.25,
        },
        "vector_unit": {"lanes": rng.randint(1, 16), "latency_cycles": pick(0, 8, 20)},
        "dma": dma,
        "controller": {"pass_order": pick("even", "even", "full"), "layer_start_cycles": pick(0, 0, 17)},
        "dram": dram,
        "energy": "45nm",
    }


def random_options(rng):
    """Options that both fidelities and both ways to values share."""
    options = []
    if rng.random() < 0.15:
        options += ["--inferences", "2"]
    if rng.random() < 0.1:
        options += ["--batch", "2"]
    if rng.random() < 0.15:
        options += ["--weight-bits", str(rng.choice([2, 4, 6, 8]))]
    if rng.random() < 0.1:
        options += ["--activation-bits", "8"]
    if rng.random() < 0.2:
        options += ["--seed", str(rng.randint(1, 1000))]
    return options


def random_program(seed, index):
    """Network, machine and options of one program."""
    rng = random.Random(f"{seed}-{index}")
    name = f"random_{index}"
    return random_network(rng, name), random_machine(rng, name), random_options(rng)


# ---- with the options of a machine that it had not from the start: what no other build is compared with ----

def stacked_network(rng, name):
    """Workload JSON of blocks that follow one another: convolutions one by one, or with a sum behind that skips them."""
    g = RandomGraph(rng)
    g.bits, g.signed = 8, g.signed
    x = g.add_input((1, g.between(4, 20), g.between(1, 8), g.between(1, 24)))
    for _ in range(g.between(1, 4)):
        kinds = [random_layers.residual] * 4 + [random_layers.convolution, random_layers.depthwise, random_layers.pool,
                                                random_layers.table, random_layers.convolution]
        x = rng.choice(kinds)(g, x)
    return g.json(name)


def random_optioned_machine(rng, name):
    """A random machine with partial sums that leave, chains, ways out, skipped pixels, and what a mapper is bound to."""
    pick = lambda *values: rng.choice(values)
    machine = random_machine(rng, name)
    if rng.random() < 0.5:
        machine["mac_array"].update(rows=rng.randint(1, 6), columns=rng.randint(1, 6))
    if rng.random() < 0.25:  # pixels do not stream in all of them
        del machine["mac_array"]["dataflow"]
        machine["mac_array"]["dataflows"] = rng.sample(["weight_stationary", "output_stationary", "input_stationary"], rng.randint(2, 3))
        machine["activation_buffer"]["line_buffer"] = False
    if rng.random() < 0.3:
        machine["accumulators"]["entries"] = rng.randint(40, 200)
    if rng.random() < 0.6:  # what lets rows be executed together
        machine["dma"].update(weight_prefetch="halves", channel_order="round_robin")
        machine["requantizer"]["writes_through"] = False
        machine["controller"]["pass_order"] = "even"
        machine["activation_buffer"]["capacity_kib"] = pick(2, 2, 3, 4, 8)
    machine["accumulators"]["spill"] = rng.random() < 0.6
    machine["requantizer"]["fused_add"] = not machine["requantizer"]["writes_through"] and rng.random() < 0.6
    machine["dma"]["skips_pixels"] = rng.random() < 0.8
    machine["mapper"] = {
        "loop_order": pick("any", "any", "any", "weights_outer", "activations_outer"), "largest_tiles": rng.random() < 0.1,
        "fetches_inputs": rng.random() < 0.85, "fuses_chains": rng.random() < 0.6,
    }
    return machine


def random_optioned_program(seed, index):
    """Network, machine and options of one program, with all that a machine may have."""
    rng = random.Random(f"options {seed}-{index}")
    name = f"random_{index}"
    network = stacked_network(rng, name) if rng.random() < 0.5 else random_network(rng, name)
    options = random_options(rng)
    if rng.random() < 0.2:
        options += ["--objective", rng.choice(["energy", "edp"])]
    if "--batch" not in options and rng.random() < 0.3:
        options += ["--batch", str(rng.randint(2, 4))]
    return network, random_optioned_machine(rng, name), options
