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

.PHONY: help build demo test check format clippy docs deny clean

help:
	@sed -n 's/^# \{0,1\}//p; /^$$/q' Makefile

build: libtorch
	$(CARGO) build --release --locked

demo: build
	@[ "$(DEMO)" != .demo ] || rm -rf .demo
	./target/release/safelight demo $(DEMO)

test: libtorch
	$(CARGO) test --workspace --locked

.PHONY: libtorch
libtorch:
	@.config/libtorch

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
