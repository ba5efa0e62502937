"""Values of mappings for --mapping, drawn around what a run without them reports. They may be refused."""


def draw_part(rng, whole, rows):
    """Kernel rows, kernel columns, channels of a tap or of all taps."""
    kernel_h, kernel_w, channels = (whole[key] for key in ("kernel_h", "kernel_w", "channels"))
    some = min(channels, rows * rng.randint(1, max(1, channels // rows)))
    height, width, depth = rng.choice([(rng.randint(1, kernel_h), kernel_w, channels), (1, rng.randint(1, kernel_w), channels),
                                       (1, 1, some), (kernel_h, kernel_w, some)])
    return {"kernel_h": height, "kernel_w": width, "channels": depth}


def draw_product(rng, own, machine, share):
    pins = {}
    if own["reduction_parts"] == 1 and rng.random() < share:
        pins["reduction_part"] = draw_part(rng, own["reduction_part"], machine["mac_array"]["rows"])
        if machine["accumulators"]["spill"] and rng.random() < 0.5:
            pins["sums_in"] = "activation_buffer"
    if rng.random() < share:
        pins["output_tile"] = {key: rng.randint(1, own["output_tile"][key]) for key in ("rows", "columns")}
    if rng.random() < share:
        pins["column_tiles_per_block"] = rng.randint(1, own["column_tiles_per_block"] * own["weight_blocks"])
    if machine["mapper"]["loop_order"] == "any" and rng.random() < share:
        pins["loop_order"] = rng.choice(["weights_outer", "activations_outer"])
    if machine["dram"]["kind"] != "none" and machine["dma"]["weight_prefetch"] == "halves" and own["weights_in"] != "activations" \
            and rng.random() < share:
        pins["weights_in"] = rng.choice(["weight_buffer", "dram"])
    return pins


def draw_chain(rng, names, layers):
    first = rng.randrange(len(names) - 1)
    last = min(len(names) - 1, first + rng.randint(1, 3))
    height = rng.randint(1, 4)
    for name in names[first:last + 1]:
        layers.setdefault(name, {}).update(fused_with=[n for n in names[first:last + 1] if n != name], stripe_rows=height)


def draw_mapping(rng, report, machine, share):
    """Of `share` of the values of each row another one; now and then neighbours in stripes."""
    layers = {}
    for layer in report["layers"]:
        own = layer["mapping"]
        pins = draw_product(rng, own, machine, share) if own["unit"] == "mac_array" else {}
        if own["unit"] in ("mac_array", "vector_unit") and "output_in" in own and machine["dram"]["kind"] != "none" \
                and rng.random() < share:
            pins["output_in"] = rng.choice(["activation_buffer", "activation_buffer", "dram"])
        if pins:
            layers[layer["name"]] = pins
    names = [layer["name"] for layer in report["layers"] if layer["mapping"]["unit"] in ("mac_array", "vector_unit")]
    if machine["mapper"]["fuses_chains"] and len(names) > 1 and rng.random() < share + 0.3:
        draw_chain(rng, names, layers)
    return {"layers": layers}
