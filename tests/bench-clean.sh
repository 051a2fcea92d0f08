#!/usr/bin/env bash
# How well the rules find wrong labels planted on purpose, and what cleaning
# brings: tests/bench-clean.sh PROGRAM SCENES [SEED…]
#
# For every seed: 5 % of the training images get a wrong label; three models of
# folds judge every image; the rules are scored by the truth; then a model is
# trained on the clean, the noisy, and the cleaned labels, and each is scored on
# the test split, whose labels were never touched.
set -euo pipefail
program=$(realpath "$1") scenes=$(realpath "$2")
shift 2
[ $# -gt 0 ] || set -- 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
threads=${THREADS:-$(nproc)}

recipe() { # seed, validation
    printf 'seed = %s\n%s\n[[stage]]\nsize = 64\nepochs = 8\nlearning_rate = 3e-3\n' "$1" "$2"
}
field() { # name of a field of the JSON on stdin
    python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}
accuracy() { # repository, seed: of a fresh model, on the test split
    recipe "$2" 'validation = { split = "test" }' >test.toml
    "$program" -C "$1" train test.toml --threads "$threads" --quiet --json |
        python3 -c 'import json,sys; print(json.load(sys.stdin)["checkpoint_record"]["metrics"]["accuracy"])'
}

for seed in "$@"; do
    repository=seed-$seed
    "$program" init "$repository" >/dev/null
    "$program" -C "$repository" --quiet import "$scenes" >/dev/null
    echo "seed $seed, clean labels: accuracy $(accuracy "$repository" "$seed")"
    "$program" -C "$repository" clean plant --share 0.05 --seed "$seed" --truth truth.csv
    echo "seed $seed, noisy labels: accuracy $(accuracy "$repository" "$seed")"
    recipe "$seed" '' >folds.toml
    pass=$("$program" -C "$repository" clean propose --folds 3 --recipe folds.toml --threads "$threads" \
        --quiet --json | field pass)
    "$program" -C "$repository" clean evaluate "$pass" --truth truth.csv
    "$program" -C "$repository" clean apply "$pass" --rule confident-learning --action relabel --limit-per-class 20
    "$program" -C "$repository" clean propose --predictions "$("$program" -C "$repository" predictions list --json |
        python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["predictions"])')" --again --quiet --json >after.json
    "$program" -C "$repository" clean evaluate "$(field pass <after.json)" --truth truth.csv | head -n 1
    echo "seed $seed, cleaned labels: accuracy $(accuracy "$repository" "$seed")"
done
