#!/usr/bin/env python3
"""Sums the times of a trace without any of qsim's code: trace_times.py TRACE.json [REPORT.json].

Prints cycles by class, once as the track "cycles" has them and once found anew from the tracks of the units. With a report
of the same run (one inference) it compares both with the report's cycles, and each layer's with its cycles_breakdown;
exit code 1 where they differ."""

import collections
import json
import pathlib
import sys

# The first that applies to a cycle counts: docs/report.md.
ORDER = ["wait_ports", "compute", "slow load", "fill_drain", "weight_load", "wait_weights", "wait_activations", "wait_accumulators", "wait_requantizer",
         "wait_output_space", "vector", "host", "requantize", "store outputs", "load inputs", "load weights"]
# What a transfer counts as while nobody works or waits by name.
BUSY = {"slow load": "wait_ports", "requantize": "wait_requantizer", "store outputs": "wait_output_space", "load inputs": "wait_activations",
        "load weights": "wait_weights"}


def tracks_of(trace):
    """Complete events by the name of their track."""
    names = {event["tid"]: event["args"]["name"] for event in trace["traceEvents"]
             if event["ph"] == "M" and event["name"] == "thread_name"}
    tracks = collections.defaultdict(list)
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            tracks[names[event["tid"]]].append(event)
    return tracks


def check_order(tracks):
    """Events of a track follow one another: viewers would nest or drop them otherwise."""
    for name, events in tracks.items():
        for before, after in zip(events, events[1:]):
            assert before["ts"] + before["dur"] <= after["ts"], f"{name}: {before} and {after} overlap"


def booked(tracks):
    """{layer: {class: cycles}} of the track "cycles"."""
    layers = collections.defaultdict(collections.Counter)
    for event in tracks["cycles"]:
        layer, state = event["name"].rsplit(": ", 1)
        assert state == event["cat"]
        layers[layer][state] += event["dur"]
    return layers


def found_anew(tracks):
    """{class: cycles} from the units' tracks, a sweep over all their events."""
    edges = []
    for name, events in tracks.items():
        if name == "cycles":
            continue
        for event in events:
            edges.append((event["ts"], ORDER.index(event["cat"]), 1))
            edges.append((event["ts"] + event["dur"], ORDER.index(event["cat"]), -1))
    end = max(event["ts"] + event["dur"] for event in tracks["cycles"])
    cycles = collections.Counter()
    active = [0] * len(ORDER)
    now = 0
    for time, state, change in sorted(edges) + [(end, 0, 0)]:
        if time > now:
            first = next((ORDER[i] for i, count in enumerate(active) if count > 0), "control")
            cycles[BUSY.get(first, first)] += time - now
            now = time
        active[state] += change
    return cycles


def differences(trace, report):
    """What does not agree with the report, as text."""
    tracks = tracks_of(trace)
    check_order(tracks)
    expected = collections.Counter({name: cycles for name, cycles in report["cycles"].items() if cycles > 0})
    layers = booked(tracks)
    found = [f"units: {dict(found_anew(tracks))}, report: {dict(expected)}"] if found_anew(tracks) != expected else []
    if sum(layers.values(), collections.Counter()) != expected:
        found.append(f"track cycles: {layers}, report: {dict(expected)}")
    for layer in report["layers"]:
        own = collections.Counter({name: cycles for name, cycles in layer["cycles_breakdown"].items() if cycles > 0})
        if layers.get(layer["name"], collections.Counter()) != own:
            found.append(f"{layer['name']}: {dict(layers[layer['name']])}, report: {dict(own)}")
    return found


def main(paths):
    """Prints the sums; compares them where there is a report."""
    trace = json.loads(pathlib.Path(paths[0]).read_text(encoding="utf-8"))
    tracks = tracks_of(trace)
    both = sum(booked(tracks).values(), collections.Counter()), found_anew(tracks)
    for name in [*(state for state in ORDER if state not in BUSY), "control"]:
        print(f"{name:<18} {both[0][name]:>12} {both[1][name]:>12}")
    if len(paths) < 2:
        return 0
    found = differences(trace, json.loads(pathlib.Path(paths[1]).read_text(encoding="utf-8")))
    print("\n".join(found) or "equal to the report")
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
