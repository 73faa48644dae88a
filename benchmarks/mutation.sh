#!/usr/bin/env bash
# Mutation testing of layers, kinds, conventions, learning rules, models and memory, by hand: hours.
# It works on a checkout of what is committed. tests/SURVIVORS.md lists what survives, with the reason.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
git clone --quiet . "$work/checkout"
cd "$work/checkout"
python3 -m venv .venv
.venv/bin/pip install --quiet --editable '.[dev]' 'cosmic-ray>=8.4'
export PATH="$PWD/.venv/bin:$PATH" HYPOTHESIS_PROFILE=quick
cosmic-ray init benchmarks/mutation.toml "$work/session.sqlite"
cr-filter-operators "$work/session.sqlite" benchmarks/mutation.toml
cosmic-ray exec benchmarks/mutation.toml "$work/session.sqlite"
cr-report --show-diff --surviving-only "$work/session.sqlite"
