#!/usr/bin/env bash
# What generated images bring: tests/bench-generate.sh PROGRAM SCENES [SEED…]
#
# Trains a model to judge by and one generator of all classes, with the Fréchet
# distance of its samples by epoch; draws and measures samples of every class and
# admits those that the judge is sure of. Then, for every seed, the same recipe is
# trained without and with them and scored on the test split, which is real.
#
# SIZE (32), EPOCHS (100), SAMPLES (200 a class), MODEL_EPOCHS (5), THREADS change
# what is done; WORK keeps everything in a folder, grids of samples included.
set -euo pipefail
program=$(realpath "$1") scenes=$(realpath "$2")
shift 2
[ $# -gt 0 ] || set -- 1 2 3
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
[ -n "${WORK:-}" ] || trap 'rm -rf "$work"' EXIT
cd "$work"
threads=${THREADS:-$(nproc)}
size=${SIZE:-32} epochs=${EPOCHS:-100} samples=${SAMPLES:-200}

field() { # dotted path in the JSON on stdin
    python3 -c 'import json,sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[key]
print(value)' "$1"
}
recipe() { # seed
    printf 'seed = %s\nvalidation = { split = "test" }\n[[stage]]\nsize = 64\nepochs = %s\nlearning_rate = 3e-3\n' \
        "$1" "${MODEL_EPOCHS:-5}" >model.toml
}
safelight() {
    "$program" -C repository "$@"
}
trained() { # seed: the document of a run
    recipe "$1"
    safelight train model.toml --threads "$threads" --quiet --json
}

"$program" init repository >/dev/null
safelight --quiet import "$scenes" >/dev/null
judge=$(trained 100 | field checkpoint)
cat >generator.toml <<TOML
seed = 1
size = $size
batch = 32
epochs = $epochs
features = 32
penalty = "gradient"
critic_steps = 2
learning_rate = 5e-4
average = 0.998
TOML
echo "generator of all classes, $size px, $epochs epochs, judged by $judge"
safelight generate train generator.toml --judge "$judge" --judge-every 5 --threads "$threads" --quiet --json \
    >generator.json
generator=$(field generator <generator.json)
safelight generate show "$generator" --grid "$PWD/grid.png"

declare -A without
for seed in "$@"; do
    without[$seed]=$(trained "$seed" | field checkpoint_record.metrics.accuracy)
done
for class in $(ls "$scenes/train"); do
    drawn=$(safelight generate sample "$generator" --class "$class" -n "$samples" --seed 7 \
        --threads "$threads" --quiet --json | tee "samples-$class.json" | field samples)
    echo "$class: $(field samples_per_second <"samples-$class.json") samples/s"
    safelight generate admit "$drawn" --by "$judge" --min-confidence 0.8 --threads "$threads" ||
        echo "$class: nothing was admitted"
done
safelight status
echo "seed  real only  with samples"
for seed in "$@"; do
    echo "$seed     ${without[$seed]}     $(trained "$seed" | field checkpoint_record.metrics.accuracy)"
done
