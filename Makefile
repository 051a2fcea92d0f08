# Two commands do everything on a fresh machine with Rust, a C++ compiler, make,
# and Python 3 with pip:
#
#   make demo    draws a small data set and runs the whole chain on it
#   make test    passes the tests
#
# Both fetch libtorch once (see .config/libtorch). After that plain cargo build,
# cargo test and cargo run work too.

CARGO ?= cargo
DEMO ?= .demo

.PHONY: help build demo test torture bench fuzz check format clippy docs deny clean

help:
	@sed -n 's/^# \{0,1\}//p; /^$$/q' Makefile

build: libtorch
	$(CARGO) build --release --locked

demo: build
	@[ "$(DEMO)" != .demo ] || rm -rf .demo
	./target/release/safelight demo $(DEMO)

test: libtorch
	$(CARGO) test --workspace --locked

# Power cuts, damage and concurrency, far longer than in the tests. Wants root,
# for mounting a file system of its own to cut the power of.
torture:
	SAFELIGHT_POWER_CUTS=500 SAFELIGHT_COMMITS=1000 SAFELIGHT_TORTURE=1 \
		$(CARGO) test --release --locked -p safelight-store --test it -- \
		--nocapture --test-threads=1 power faults damage concurrency

# One table, each row beside its reference.
bench:
	$(CARGO) build --release --locked --no-default-features --bin safelight
	SAFELIGHT="$${CARGO_TARGET_DIR:-$(CURDIR)/target}/release/safelight" \
		$(CARGO) bench --locked -p safelight-store --bench store

# Every fuzz target for a minute; needs a nightly compiler and cargo-fuzz.
fuzz:
	for target in archive event frame pack record snapshot; do \
		$(CARGO) +nightly fuzz run --fuzz-dir store/fuzz $$target -- -max_total_time=60 || exit 1; \
	done

# Times a replay from stored votes in processes of their own; needs no libtorch.
.PHONY: bench-replay
bench-replay:
	$(CARGO) bench --locked --no-default-features --bench replay

.PHONY: libtorch
libtorch:
	@.config/libtorch

# Questions of an audit on a million images, timed.
.PHONY: bench-audit
bench-audit:
	$(CARGO) test --release --locked --no-default-features --test it -- --ignored --nocapture questions_on_a_million

# The interface on a million images, timed on a pseudo-terminal from outside.
.PHONY: bench-tui
bench-tui:
	$(CARGO) test --release --locked --no-default-features --test it -- --ignored --nocapture the_interface_on_a_million

# Pictures of the interface's screens for the README, from the demo's repository.
.PHONY: screenshots
screenshots:
	SAFELIGHT_DEMO="$(abspath $(DEMO))/repository" \
		$(CARGO) test --locked --no-default-features --test it -- --ignored --nocapture the_screens_as_pictures

# How well the rules find wrong labels that were planted in SCENES (train/CLASS
# and test/CLASS), and what cleaning brings. Takes about an hour on two cores.
SCENES ?= ../shared/scenes
.PHONY: bench-clean
bench-clean: build
	tests/bench-clean.sh ./target/release/safelight $(SCENES)

# How fast training is, how accurate, and which of its tricks pay: hours on two
# cores. PARTS chooses, and what .bench-train holds already is not done again;
# PYTHON names a Python with torch 2.11 for the bare step.
.PHONY: bench-train
bench-train: build
	tests/bench-train.sh ./target/release/safelight $(SCENES)
	$(CARGO) bench --locked --no-default-features --bench pipeline -- $(SCENES)

# What images that a generator drew bring to a model of SCENES, over three seeds.
# Takes hours on two cores; EPOCHS=20 make bench-generate takes less.
.PHONY: bench-generate
bench-generate: build
	tests/bench-generate.sh ./target/release/safelight $(SCENES)

# What .ci/run checks beside the tests.
check: format clippy docs deny

format:
	$(CARGO) fmt --all --check

clippy: libtorch
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) clippy --workspace --all-targets --locked --no-default-features -- -D warnings

docs: libtorch
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --document-private-items

deny:
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
		$(CARGO) deny --config .deny.toml check bans licenses sources; \
	else \
		echo "cargo-deny is not installed: licences and sources are not checked here (cargo install cargo-deny)"; \
	fi

clean:
	rm -rf target $(DEMO)
