"""Writes cleanlab-2.9.tsv: what cleanlab 2.9.0 flags in made-up predictions when
its sorts are stable.

    python -m venv V && V/bin/pip install cleanlab==2.9.0 numpy==2.4.6
    V/bin/python cleanlab_cases.py > cleanlab-2.9.tsv

The inputs are drawn from splitmix64 and divided once, so src/clean draws the
same ones bit for bit.

Columns: case, classes, images, then for each filter the flags packed eight to
a byte, then the bits of the sums (numpy.sum) of self confidence and of
normalized margin.
"""
import struct

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

FILTERS = [
    "prune_by_class",
    "prune_by_noise_rate",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_self_confidence",
    "low_normalized_margin",
]
CASES = 240

# numpy's default argsort leaves the order of equals open: with it cleanlab's own
# answer on ties depends on the processor. A stable one is the only one to copy.
_argsort = np.argsort
np.argsort = lambda values, *rest, **options: _argsort(values, *rest, **(options | {"kind": "stable"}))

MASK = 2**64 - 1


class SplitMix:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
        return z ^ (z >> 31)

    def below(self, bound):
        return self.next() % bound


def draw(case):
    rng = SplitMix(case)
    classes = 12 if case % 20 == 10 else 2 + rng.below(6)
    images = 2000 if case % 40 == 0 else 20 + rng.below(281)
    grain = [1 << 20, 10, 4, 1000][case % 4]
    noise = case % 3 * 15 + 5
    labels, rows = [], []
    for _ in range(images):
        true = rng.below(classes)
        if case % 5 == 0:
            true = min(true, rng.below(classes))
        parts = [rng.below(grain) for _ in range(classes)]
        parts[true] += grain * rng.below(4)
        total = sum(parts)
        if total == 0:
            parts[true], total = 1, 1
        label = rng.below(classes) if rng.below(100) < noise else true
        if case % 7 == 3 and classes > 2 and label == classes - 1:
            label = 0
        labels.append(label)
        rows.append([float(part) / float(total) for part in parts])
    return np.array(labels), np.array(rows)


def bits(value):
    return struct.pack(">d", float(value)).hex()


for case in range(CASES):
    labels, rows = draw(case)
    fields = [str(case), str(rows.shape[1]), str(rows.shape[0])]
    for how in FILTERS:
        flags = find_label_issues(labels, rows, filter_by=how, n_jobs=1)
        fields.append(np.packbits(flags).tobytes().hex())
    for method in ["self_confidence", "normalized_margin"]:
        fields.append(bits(np.sum(get_label_quality_scores(labels, rows, method=method))))
    print("\t".join(fields))
