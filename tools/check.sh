#!/bin/sh
# Lint, types, floors, templates, house rules and (unless --no-tests) the unit tests.
set -eu
bin=.venv/bin
"$bin"/ruff check --quiet .
"$bin"/ruff format --check --quiet .
"$bin"/mypy --no-error-summary accounts smime webmail &
types=$!
trap 'kill "$types" 2>/dev/null || true' EXIT  # a failure must not leave it writing into the next run
"$bin"/lint-imports --no-logo > .tools/floors.log || { cat .tools/floors.log; exit 1; }
"$bin"/djlint --check --lint templates > .tools/templates.log || { cat .tools/templates.log; exit 1; }
"$bin"/ast-grep scan --error accounts smime webmail
"$bin"/ast-grep test --skip-snapshot-tests > .tools/house-rules.log 2>&1 || { cat .tools/house-rules.log; exit 1; }
"$bin"/python manage.py makemigrations --check --dry-run > .tools/migrations.log 2>&1 || { cat .tools/migrations.log; exit 1; }
wait "$types"
[ "${1:-}" = --no-tests ] || "$bin"/python -m pytest -q -m 'not live and not browser and not slow and not corpus'
