"""Writes tests/goldens/fastai-2.8-schedules.tsv: learning rate and momentum at
every step, as fastai's own ParamScheduler sets them.

    python3 -m venv env && env/bin/pip install fastai==2.8.12
    env/bin/python tests/goldens/fastai_schedules.py

The schedules are put together by fastai's combined_cos, combine_scheds and
SchedCos as fit_one_cycle, fit_flat_cos and fit_sgdr put them together, and are
asked at the places that its Learner has: pct_train is epoch / epochs at the
start of an epoch and grows by 1 / (steps * epochs) with every batch.
"""

import os

from fastai.callback.schedule import SchedCos, combine_scheds, combined_cos

PEAK = 3e-3


def one_cycle(pct, div, final, moms):
    return combined_cos(pct, PEAK / div, PEAK, PEAK / final), combined_cos(pct, *moms)


def flat_cosine(pct, final):
    return combined_cos(pct, PEAK, PEAK, PEAK / final), None


def restarts(cycles, length, multiplier):
    total = length * (multiplier**cycles - 1) // (multiplier - 1) if multiplier > 1 else length * cycles
    shares = [length * multiplier**cycle / total for cycle in range(cycles)]
    return combine_scheds(shares, [SchedCos(PEAK, 0) for _ in range(cycles)]), None


CASES = [
    ("one_cycle rise=0.25 start=25 end=100000 momentum=0.95,0.85,0.95", 5, 65, one_cycle(0.25, 25, 1e5, (0.95, 0.85, 0.95))),
    ("one_cycle rise=0.3 start=10 end=1000 momentum=0.9,0.8,0.95", 3, 17, one_cycle(0.3, 10, 1e3, (0.9, 0.8, 0.95))),
    ("flat_cosine flat=0.75 end=100000", 4, 33, flat_cosine(0.75, 1e5)),
    ("flat_cosine flat=0.5 end=10", 7, 9, flat_cosine(0.5, 10)),
    ("restarts cycles=3 length=1 multiplier=2", 7, 65, restarts(3, 1, 2)),
    ("restarts cycles=2 length=2 multiplier=3", 8, 20, restarts(2, 2, 3)),
]

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fastai-2.8-schedules.tsv")
with open(path, "w") as out:
    for name, epochs, steps, (rates, momenta) in CASES:
        out.write(f"{name} epochs={epochs} steps={steps}\n")
        for epoch in range(epochs):
            pct = epoch / epochs
            for _ in range(steps):
                share = float(rates(pct)) / PEAK
                momentum = 0.9 if momenta is None else float(momenta(pct))
                out.write(f"{share:.9g}\t{momentum:.9g}\n")
                pct += 1.0 / (steps * epochs)
