# One word per task; `just` alone lists them.

default:
    @just --list

# Format the code.
fmt:
    cargo fmt

# What must not be in the code.
lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings

# The documentation of the code, as an error where it is wrong.
rustdoc:
    RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' \
        cargo doc --locked --no-deps --document-private-items --lib --examples

# All tests.
test *arguments:
    cargo test --locked {{ arguments }}

# The tests that drive the program, with the release build of it.
test-release *arguments:
    cargo build --release --locked
    REPERTOIRE_PROGRAM={{ justfile_directory() }}/target/release/repertoire cargo test --locked --test main {{ arguments }}

# Drive the built server with the official Python client.
e2e: build
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check --requirement tests/e2e/requirements.txt
    .venv/bin/python tests/e2e/lifecycle.py

# Drive the built server with the official TypeScript client, of a folder where it was installed with npm.
typescript folder: build
    cd {{ folder }} && node {{ justfile_directory() }}/tests/e2e/typescript.mjs {{ justfile_directory() }}/target/debug/repertoire

# The official conformance suite, on both generations of the protocol: `npm install @modelcontextprotocol/conformance@0.2.0-alpha.12`
# somewhere (Node.js 22 or newer), and say where its `dist/index.js` is.
conformance suite: build
    python3 tests/e2e/conformance.py {{ suite }}

# Execute code that others wrote, unchanged: a folder of Python files with doctests, or HumanEval.jsonl.
corpus where *arguments:
    cargo build --release --locked
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check --requirement tests/e2e/requirements.txt
    .venv/bin/python tests/e2e/corpus.py {{ where }} {{ arguments }}

# Figures over the real protocol, against the budgets.
bench:
    cargo run --release --locked -- bench

# Whether the right procedures are found; `just recall-bench --corpus FILE` with procedures and questions of your own.
recall-bench *arguments:
    cargo run --release --locked -- bench recall {{ arguments }}

# See the whole life cycle in a temporary home.
demo:
    cargo run --release --locked -- demo

# 25,000 expressions, in the sandbox and in CPython.
differential:
    cargo test --locked --test main -- --ignored --nocapture twenty_five_thousand_expressions thousands_of_calls

# Property tests with many more cases than usual, and others each time.
explore cases='5000' *filter:
    PROPTEST_CASES={{ cases }} cargo test --locked --lib {{ filter }}

# Who imports whom: the figures that `tests/layers/` checks.
layers:
    cargo test --locked --test layers -- --ignored --nocapture figures

# Try what nobody thought of at a border (src/borders/): `just fuzz cron 600` (needs cargo-fuzz).
fuzz border seconds='60':
    cargo fuzz run --sanitizer none {{ border }} -- -max_total_time={{ seconds }} -timeout=10

# Write what is generated: the tool table of the README, the list of rules, the code of the starter workflows.
docs: build
    target/debug/repertoire docs

# Accept the snapshots as the tests make them now; look at the diff before you commit it.
snapshots:
    INSTA_UPDATE=always cargo test --locked
    git diff --stat -- '*.snap'

# Licences, known weaknesses and sources of the dependencies (needs cargo-deny).
deny:
    cargo deny --locked check

# Pack a finished program for this platform into `dist/`, install it where nothing else is, and drive it.
packages program='target/dist/repertoire' repository='https://github.com/example/repertoire':
    python3 packaging/build.py pack --program {{ program }} --repository {{ repository }}
    python3 packaging/build.py finish --repository {{ repository }}
    python3 packaging/test.py

# Exactly what continuous integration runs: lint, rustdoc, test, docs, demo and e2e, and how long each took.
ci:
    .ci/run

# With `--examples` the dependencies have the features that tests ask for, and are not built a second time.
[private]
build:
    cargo build --locked --bins --examples
