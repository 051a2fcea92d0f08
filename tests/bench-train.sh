#!/usr/bin/env bash
# How fast training is, how accurate, and which of its tricks pay:
# tests/bench-train.sh PROGRAM SCENES
#
# Trains ResNet-18 from scratch on SCENES/train and judges it by SCENES/test:
# plain, with test-time augmentation, and with ten crops. Chosen by variables:
#
#   PARTS    of: base mixup smoothing finder ema trivial bf16 progressive step
#            [default: all of them]
#   SEEDS    [default: 1 2 3]
#   THREADS  [default: 2]
#   WORK     keeps what was trained; what is there is not trained again
#            [default: .bench-train]
#   PYTHON   a Python with torch, for the bare step beside ours [default: python3]
#
# Accuracy does not depend on what else the machine does; seconds do.
set -euo pipefail
program=$(realpath "$1") scenes=$(realpath "$2")
here=$(realpath "$(dirname "$0")")
parts=${PARTS:-base mixup smoothing finder ema trivial bf16 progressive step}
seeds=${SEEDS:-1 2 3}
threads=${THREADS:-2}
python=${PYTHON:-python3}
work=${WORK:-.bench-train}
mkdir -p "$work/rows" "$work/tmp"
cd "$work"

if [ ! -e repository/.safelight ]; then
    rm -rf repository
    "$program" init repository >/dev/null
    "$program" -C repository --quiet import "$scenes" >/dev/null
fi

run() { "$program" -C repository "$@" --threads "$threads" --quiet --json; }
field() { # a path such as a.b into the JSON on stdin
    python3 -c 'import functools, json, sys
print(functools.reduce(lambda at, key: at[key], sys.argv[1].split("."), json.load(sys.stdin)))' "$1"
}
head_of() { # seed, more top-level lines
    printf 'seed = %s\nvalidation = { split = "test" }\n%b\n' "$1" "${2:-}"
}
stage() { # size, epochs, rate
    printf '[[stage]]\nsize = %s\nepochs = %s\nlearning_rate = %s\n' "$1" "$2" "${3:-3e-3}"
}

# Trains the recipe on stdin and leaves a row: name, seed, accuracy plain, with
# test-time augmentation, with ten crops, median seconds of an epoch, processor
# seconds of the whole training.
train() { # name, seed
    local row=rows/$1-$2.tsv
    cat >"tmp/$1-$2.toml"
    [ -e "$row" ] && return
    local TIMEFORMAT='%U'
    { time run train "tmp/$1-$2.toml" >tmp/trained.json 2>tmp/errors; } 2>tmp/seconds || {
        cat tmp/errors >&2
        return 1
    }
    local checkpoint plain tta crops epoch
    checkpoint=$(field checkpoint <tmp/trained.json)
    plain=$(field checkpoint_record.metrics.accuracy <tmp/trained.json)
    tta=$(run predict "$checkpoint" --split test --views tta 2>/dev/null | field accuracy)
    crops=$(run predict "$checkpoint" --split test --views ten-crop 2>/dev/null | field accuracy)
    epoch=$(python3 -c 'import json, statistics
print(statistics.median(json.load(open("tmp/trained.json"))["epoch_seconds"]))')
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$plain" "$tta" "$crops" "$epoch" "$(tail -n 1 tmp/seconds)" \
        >tmp/row
    mv tmp/row "$row"
    cat "$row"
}

# One trick beside the base, each alone.
one() { # name, line of the recipe
    for seed in $seeds; do { head_of "$seed" "$2" && stage 64 5; } | train "$1" "$seed"; done
}

for part in $parts; do
    case $part in
    base) one base '' ;;
    mixup) one mixup 'mixup = 0.4' ;;
    smoothing) one smoothing 'label_smoothing = 0.1' ;;
    ema) one ema 'moving_average = 0.99' ;;
    trivial) one trivial 'augmentation = { preset = "trivial_augment" }' ;;
    bf16) one bf16 'precision = "bf16"' ;;
    finder)
        for seed in $seeds; do
            { head_of "$seed" && stage 64 5; } >"tmp/find-$seed.toml"
            [ -e "rows/finder-$seed.tsv" ] ||
                run find-rate "tmp/find-$seed.toml" 2>/dev/null | field suggestion >"tmp/rate-$seed"
            { head_of "$seed" && stage 64 5 "$(cat "tmp/rate-$seed")"; } | train finder "$seed"
        done
        ;;
    progressive)
        # Epochs chosen so that both take about the same processor time, which
        # the table states: an image of 128 pixels costs 2.6 to 3.3 times one of
        # 64, by the processor.
        for seed in $seeds; do
            { head_of "$seed" && stage 64 5 && stage 128 3; } | train progressive "$seed"
            { head_of "$seed" && stage 128 5; } | train at-128 "$seed"
        done
        ;;
    step)
        # Steps alone, beside a bare step: two epochs more, by processor time,
        # which other work on the machine changes least, and the best epoch.
        for precision in fp32 bf16; do
            GOMP_SPINCOUNT=0 "$python" "$here/bare_step.py" "$threads" "$precision" 64 64 ||
                echo "no torch in $python: no bare step"
            for epochs in 1 3; do
                { printf 'precision = "%s"\nvalidation = { fraction = 0 }\n' "$precision" && stage 64 "$epochs"; } \
                    >"tmp/step-$epochs.toml"
                TIMEFORMAT='%U'
                { time run train "tmp/step-$epochs.toml" >tmp/step.json 2>/dev/null; } 2>"tmp/step-$epochs"
            done
            python3 -c '
import json, sys
one, three = (float(open(f"tmp/step-{epochs}").read()) for epochs in (1, 3))
seconds = min(json.load(open("tmp/step.json"))["epoch_seconds"])
images = int(sys.argv[2]) // 64 * 64
print(f"safelight train, {sys.argv[1]}, 64 px, batch 64, with its data: {images / seconds:.0f} images/s "
      f"in the best of three epochs, {(three - one) / 2 / images * 1000:.2f} ms of processor time an image")' \
                "$precision" "$(find "$scenes/train" -type f | wc -l)"
        done
        ;;
    *) echo "unknown part: $part" >&2 && exit 2 ;;
    esac
done

python3 - <<'PY'
import collections, glob, statistics
rows = collections.defaultdict(list)
for path in sorted(glob.glob("rows/*.tsv")):
    name, seed, *values = open(path).read().split("\t")
    rows[name].append((int(seed), [float(value) for value in values]))
if rows:
    print("\n| training | seeds | plain | TTA | 10-crop | seconds an epoch | processor seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
for name in sorted(rows, key=lambda name: (name != "base", name)):
    found = sorted(rows[name])
    def cell(place, digits=3):
        values = [value[place] for _, value in found]
        spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
        return f"{statistics.mean(values):.{digits}f}{spread}"
    seeds = " ".join(str(seed) for seed, _ in found)
    cells = [cell(0), cell(1), cell(2), cell(3, 1), cell(4, 0)]
    print(f"| {name} | {seeds} | " + " | ".join(cells) + " |")
PY
