# One command each; `make help` lists them.
PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help install demo demo-reset serve test check format bench fuzz screenshots compose-secrets compose-test

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

install: ## environment and front-end build; starts nothing
	@python3 tools/bootstrap.py

demo: install ## everything embedded, with sample mail; prints a URL and logins
	@exec $(PYTHON) manage.py demo

demo-reset: install ## throw the demo's mail and accounts away and start over
	@exec $(PYTHON) manage.py demo --reset

serve: install ## the same on one machine with your own mail servers
	@exec $(PYTHON) manage.py serve

check: install ## ruff, types, floors, templates, house rules, unit tests: the inner loop
	@sh tools/check.sh

test: ## all tests; installs what they need
	@python3 tools/bootstrap.py --system
	@sh tools/check.sh --no-tests
	@$(PYTHON) tools/run_tests.py $(PYTEST_OPTIONS)

format: install ## put code and templates into form
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

bench: install ## figures and ratios to floors
	@$(PYTHON) manage.py bench

fuzz: install ## the long run of the fuzzers
	@SIGNET_FUZZ_CASES=200000 $(PYTHON) -m pytest tests/fuzz -q --timeout 0

screenshots: install ## pictures for README.md from a running demo
	@$(PYTHON) tools/screenshots.py

compose-secrets: install ## random secrets for docker-compose.yml, once
	@$(PYTHON) tools/make_secrets.py

compose-test: install ## brings docker-compose.yml up for real, breaks it, checks that nothing is lost
	@$(PYTHON) tools/compose_test.py
