# The commands of a contributor. `make` alone lists them; each sets up what it needs.

PYTHON ?= python3
PORT ?= 8069
T ?=
WITH ?=
SIZE ?= M
FUZZ ?= 300
SEED ?= 1
TOOLS ?= 200
MODELS ?= 60
FILES ?=
THRESHOLD ?= 92
DEV := $(PYTHON) -B -m dev

.DEFAULT_GOAL := help
.PHONY: help setup run test bench soak mutate lint format shell psql i18n readme screenshots dist reset stop clean

help: ## this list
	@echo "make ..."
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  \1 \2/p' $(MAKEFILE_LIST) | \
	    awk '{ name = $$1; $$1 = ""; printf "  %-12s%s\n", name, $$0 }'

setup: ## fetch Odoo, PostgreSQL and the Python packages, without starting anything more
	@$(DEV) setup

run: ## start Odoo with the demo company on http://127.0.0.1:8069 (PORT=... for another port)
	@$(DEV) run --port $(PORT)

test: ## run all tests (T=/account_collection:TestName for some, T=pure without Odoo, T=processes with killed workers, T=workers under the limits of Odoo; WITH=sale,stock beside these addons and in English alone)
	@$(DEV) test "$(T)" --with "$(WITH)"

bench: ## measure speed on ledgers of 20,000 and 200,000 invoices (SIZE=S the first alone, SIZE=L 1,000,000 too)
	@$(DEV) bench $(SIZE)

soak: ## random ledgers, damaged files, recalculated workbooks, killed workers, planted faults, all tests beside other addons (takes long; FUZZ=seconds for files)
	@COLLECTION_SOAK=1 COLLECTION_FUZZ_SECONDS=$(FUZZ) $(DEV) test "pure:tabular"
	@$(DEV) soak
	@$(MAKE) --no-print-directory mutate

mutate: ## plant faults and print those that no test notices (SEED=2 others, TOOLS=all MODELS=0 how many, FILES=cadence where)
	@$(DEV) mutate --seed $(SEED) --tools $(TOOLS) --models $(MODELS) --files "$(FILES)" --threshold $(THRESHOLD)

lint: ## check style, Odoo conventions, XML and translations
	@$(DEV) lint

format: ## bring the Python files into shape
	@$(DEV) format

shell: ## open Odoo's shell on the demo database (make shell < script.py runs a script)
	@$(DEV) shell

psql: ## open psql on the demo database
	@$(DEV) psql

i18n: ## export the terms and bring the French translation up to date
	@$(DEV) i18n

readme: ## write README.rst from the fragments in readme/, and draw the data model that README.md shows
	@$(DEV) readme

screenshots: ## take the pictures of the description (ARGS="--help" for other pictures)
	@$(DEV) screenshots $(ARGS)

dist: ## build the wheel and the zip for the app store, without the tools
	@$(DEV) dist

reset: ## drop the demo database; the next start builds it anew
	@$(DEV) reset

stop: ## stop the private PostgreSQL, unless another run uses it
	@$(DEV) stop

clean: ## remove the cache folder with all databases, after stopping PostgreSQL
	@$(DEV) clean
