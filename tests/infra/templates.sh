#!/bin/sh
# Writes the bookshop's templates below the folder $1, as docs/deploy.md does by hand.
set -eu
fig="$(dirname "$0")/../../.venv/bin/fig"
example="$(dirname "$0")/../../examples/bookshop"
rm -rf "$1" && mkdir -p "$1"
"$fig" cidr plan "$example/demand.yaml" --existing "$example/allocations.csv" -o "$1/plan.json" > "$1/plan.log"
"$fig" cidr verdict "$example/demand.yaml" -o "$1/capacity.json" 2> "$1/verdict.log"
"$fig" compile "$example/estate.yaml" -o "$1/compiled" > "$1/compile.log"
"$fig" infra synth --plan "$1/plan.json" --capacity "$1/capacity.json" --estate "$1/compiled" \
	--settings "$example/infra.yaml" -o "$1/templates"
