#!/usr/bin/env python3
"""How near a quantized network on the chip stays to its float network (docs/quantization.md): quantizes, runs both over the images that judge, and prints
SQNR of the logits (10 log10 of the sum of their squares over that of the differences), agreement of the classes, and images right, each seed and their mean.

resnet8: 1,024 images of data_batch_1.bin drawn by the seed calibrate, test_batch_even.bin judges. efficientnet_lite0 and vww_mobilenet: photographs in the
order of numpy.random.RandomState(seed).permutation(500), the first 100 calibrate, the other 400 judge. With --held-out the images that calibrate resnet8
are the first 1,024 of such an order of data_batch_1.bin, and the next 4,096 judge: methods are chosen there, never on what judges in the end.

Example: bench/ptq_accuracy.py resnet8 --data ../shared/data --schemes w8a8 w4a8:weights=per_tensor --seeds 1 2 3"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
WIDTHS = ("w8a8", "w4a8", "w4a4")
KINDS = ("", ":weights=per_tensor")
CALIBRATION = {"resnet8": 1024, "efficientnet_lite0": 100, "vww_mobilenet": 100}
HELD_OUT = 4096
PERSONS = {"channels": "RGB", "steps": [{"center_crop_fraction": 1.0}, {"resize": [96, 96], "interpolation": "bilinear"}], "unit_scale": True}


class Network:
    """A float network: what quantizes it, what judges it."""

    def __init__(self, name, arguments, folder):
        self.name, self.folder, self.qsim, self.limit = name, pathlib.Path(folder), arguments.qsim, arguments.limit
        self.data, self.held_out, self.extension = pathlib.Path(arguments.data), arguments.held_out, ".json"
        suffix = ".tflite" if name == "vww_mobilenet" else ".onnx"
        self.model = self.data / "models" / f"{name}_float{suffix}"
        self.preprocess = self._preprocess()
        self.floats = {}

    def _preprocess(self):
        if self.name == "efficientnet_lite0":
            return ["--preprocess", "efficientnet_lite0"]
        if self.name != "vww_mobilenet":
            return []
        file = self.folder / "vww.json"
        file.write_text(json.dumps(PERSONS))
        return ["--preprocess", file]

    def _images(self):
        """(calibration set, judging set)"""
        if self.name == "resnet8":
            train, test = (f"cifar10:{self.data}/cifar10/{file}" for file in ("data_batch_1.bin", "test_batch_even.bin"))
            return train, train if self.held_out else test
        photographs = f"images:{self.data}/imagenet_sample"
        if self.name == "vww_mobilenet":  # Its two classes are not those of the photographs: labels say nothing.
            lines = (self.data / "imagenet_sample" / "labels.csv").read_text().splitlines()
            table = self.folder / "unlabelled.csv"
            table.write_text("file,label\n" + "".join(line.split(",")[0] + ",0\n" for line in lines[1:]))
            photographs += f",labels={table}"
        return photographs, photographs

    def _lists(self, seed):
        """(rows that calibrate, rows that judge), or nothing where a set of its own judges."""
        count = CALIBRATION[self.name]
        if self.name == "resnet8" and not self.held_out:
            return None
        rows = {"resnet8": 15_000}.get(self.name, 500)
        order = np.random.RandomState(seed).permutation(rows)
        judge = order[count:count + HELD_OUT] if self.name == "resnet8" else order[count:]
        files = [self.folder / f"{seed}.{part}.txt" for part in ("calibrate", "judge")]
        for file, part in zip(files, (order[:count], judge)):
            np.savetxt(file, part, fmt="%d")
        return files

    def _run(self, *arguments):
        run = subprocess.run([self.qsim, *map(str, arguments)], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise RuntimeError(run.stderr.strip())
        return run.stdout

    def logits(self, workload, seed, settings=()):
        """(logits, images right)"""
        file, lists = self.folder / "logits.npy", self._lists(seed)
        chosen = ["--list", lists[1]] if lists else ["--limit", self.limit] if self.limit else []
        text = self._run("evaluate", "--workload", workload, "--data", self._images()[1], *self.preprocess, *chosen, "--logits", file, "--json", *settings)
        return np.load(file).astype(np.float64), json.loads(text)["top1"]["correct"]

    def quantize(self, scheme, seed, method):
        lists = self._lists(seed)
        chosen = ["--calibration-list", lists[0]] if lists else ["--calibration-inputs", CALIBRATION[self.name]]
        file = self.folder / "quantized.json"
        table = self._run("quantize", "--workload", self.model, "--calibration", self._images()[0], *self.preprocess, *chosen, "--scheme", scheme,
                          "--seed", seed, "--output", file, *(["--method", method] if method else []))
        return file, table

    def judged(self, scheme, seed, method):
        key = seed if self._lists(seed) else 0
        if key not in self.floats:
            self.floats[key] = self.logits(self.model, seed)
        expected, float_right = self.floats[key]
        file, _ = self.quantize(scheme, seed, method)
        found, right = self.logits(file, seed)
        return {"sqnr_db": 10 * np.log10(np.sum(expected**2) / np.sum((expected - found)**2)),
                "agreement": float(np.mean(expected.argmax(1) == found.argmax(1))), "right": right, "float_right": float_right, "images": len(found)}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=list(CALIBRATION))
    parser.add_argument("--schemes", nargs="+", default=[width + kind for width in WIDTHS for kind in KINDS])
    parser.add_argument("--methods", nargs="+", default=[""], help="as --method of quantize; without it the pipeline")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--held-out", action="store_true", help="judge on other images of data_batch_1.bin")
    parser.add_argument("--limit", type=int, help="so many images of the set that judges")
    parser.add_argument("--results", help="file that gets a line of JSON a result")
    parser.add_argument("--qsim", default=os.environ.get("QSIM_BINARY", ROOT / "build" / "release" / "qsim"))
    parser.add_argument("--data", default=os.environ.get("QSIM_DATA_DIR", ROOT.parent / "shared" / "data"))
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        network = Network(arguments.network, arguments, folder)
        for scheme in arguments.schemes:
            for method in arguments.methods:
                rows = []
                for seed in arguments.seeds:
                    row = network.judged(scheme, seed, method)
                    rows.append(row)
                    print(f"{network.name} {scheme} {method or 'pipeline'} seed {seed}: {row['sqnr_db']:.2f} dB, {row['agreement']:.4f} agree, "
                          f"{row['right']} of {row['images']} right (float {row['float_right']})", flush=True)
                    if arguments.results:
                        with open(arguments.results, "a", encoding="utf-8") as file:
                            file.write(json.dumps({"network": network.name, "scheme": scheme, "method": method, "seed": seed,
                                                   "held_out": arguments.held_out, **row}) + "\n")
                means = {key: np.mean([row[key] for row in rows]) for key in ("sqnr_db", "agreement", "right")}
                print(f"{network.name} {scheme} {method or 'pipeline'} mean: {means['sqnr_db']:.2f} dB, {means['agreement']:.4f}, {means['right']:.1f}",
                      flush=True)


if __name__ == "__main__":
    sys.exit(main())
