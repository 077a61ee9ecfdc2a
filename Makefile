# The door. `make help` says what is behind it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
POLICIES := $(filter-out %.examples.yaml,$(wildcard policies/*.yaml))
TERRAFORM := $(BIN)/python -m processor.local.terraform

# What the packages are built for: `runtime` and `architecture` in terraform/.
PYTHON ?= 3.13
ARCH ?= arm64

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-9s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# How many schedules `make simulate` lives through, and from which seed on.
SEEDS ?= 20000
FIRST ?= 0

# --- On this machine -----------------------------------------------------------------------------------

.PHONY: setup
setup: .venv/.ready ## Make .venv, with the tidegate command in it, from the lock files

# The emulator's wheel is taken for its binary alone: its own dependencies would fight with ours.
.venv/.ready: requirements.dev.lock requirements.emulator.lock pyproject.toml
	@found=; for name in python3.13 python3.12 python3.11 python3; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$name; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "Python 3.11 or later must be installed; no such python3 is on the PATH." >&2; exit 2; fi; \
	echo "Making .venv with $$found …"; \
	[ -x $(BIN)/python ] || $$found -m venv .venv
	@pip="$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile"; \
	echo "Installing what requirements.dev.lock names …"; \
	$$pip --require-hashes -r requirements.dev.lock; \
	$$pip --require-hashes --no-deps -r requirements.emulator.lock; \
	$$pip --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: demo
demo: .venv/.ready ## Run the whole gate on an embedded AWS and check what came out (KEEP=1 leaves it up)
	@$(BIN)/python -m processor.local.demo $(if $(KEEP),--keep)

.PHONY: test
# Those on the stage begin at once, beside the others: they wait for Terraform most of their time.
test: .venv/.ready ## Run the tests, the fast ones first, the whole gate included; then there is make long
	@echo "The whole gate is put up and tested meanwhile: see .build/stage.log, .build/powers.log"; mkdir -p .build; \
	powers=tests/end_to_end/test_within_their_powers.py; \
	$(BIN)/python -m pytest -q -m "slow and stage and not long" --ignore=$$powers > .build/stage.log 2>&1 & stage=$$!; \
	$(BIN)/python -m pytest -q $$powers > .build/powers.log 2>&1 & beside=$$!; \
	trap 'kill $$stage $$beside 2> /dev/null || true' EXIT; \
	$(BIN)/python -m pytest -q -m "not slow" -n 2; \
	code=0; $(BIN)/python -m pytest -q -m "slow and not stage and not long" -n 2 --dist loadfile || code=$$?; \
	for part in $$stage $$beside; do wait $$part || code=$$?; done; \
	cat .build/stage.log .build/powers.log; exit $$code

.PHONY: long
long: .venv/.ready ## Run the tests of many minutes: canaries that go back, days of training and release, bad days
	@code=0; for part in daily_path rolling_out with_existing_data with_faults; do \
	  $(BIN)/python -m pytest -q tests/end_to_end/test_$$part.py || code=$$?; done; exit $$code

.PHONY: faults
faults: .venv/.ready ## Run the whole gate on bad days alone: killed, refused, cut off (two minutes)
	@$(BIN)/python -m pytest -q -m faults

.PHONY: simulate
simulate: .venv/.ready ## Live through bad days of the stream, each from a seed (SEEDS=20000)
	@$(BIN)/python -m tests.simulation.simulate --seeds $(SEEDS) --first $(FIRST)

.PHONY: lint
lint: .venv/.ready .build/checkov/.ready ## Check style, types and Terraform
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@terraform fmt -check -diff -recursive terraform
	@$(TERRAFORM) validate
	@.build/checkov/bin/checkov --directory terraform --skip-download --quiet --compact --framework terraform

# checkov pins the Boto3 it wants, so it lives on its own.
.build/checkov/.ready: requirements.checkov.lock
	@echo "Installing checkov …"
	@$(BIN)/python -m venv .build/checkov
	@.build/checkov/bin/python -m pip --disable-pip-version-check install --quiet --no-compile --require-hashes -r $<
	@touch $@

.PHONY: bench
bench: .venv/.ready .build/bench/.ready ## Measure each stage, detection, tokens and models, beside the usual means
	@$(BIN)/python -m tests.benchmarks.stages
	@$(BIN)/python -m tests.benchmarks.sanitise
	@$(BIN)/python -m tests.benchmarks.tokens
	@$(BIN)/python -m tests.benchmarks.fpe
	@$(BIN)/python -m tests.benchmarks.detection
	@$(BIN)/python -m tests.benchmarks.replay
	@$(BIN)/python -m tests.benchmarks.backfill
	@$(BIN)/python -m tests.benchmarks.estimators

# What detection and reasons are measured against, on its own: nothing of the product needs it. The lock is of
# presidio-analyzer, datafog, shap (numba>=0.62, or an ancient one is found) and the scikit-learn of the dev lock.
.build/bench/.ready: requirements.bench.lock
	@echo "Installing Presidio, datafog and shap …"
	@$(BIN)/python -m venv .build/bench
	@.build/bench/bin/python -m pip --disable-pip-version-check install --quiet --no-compile --require-hashes -r $<
	@touch $@

.PHONY: train
train: .venv/.ready ## Train a candidate for the fraud model, with its card (DATA="files or s3://…" FROM=day TO=day OUT=folder)
	@$(BIN)/tidegate model train models/payments_fraud --out $(or $(OUT),.build/candidate) \
	  $(foreach data,$(DATA),--data $(data)) $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO))
	@echo "Next: tidegate model release $(or $(OUT),.build/candidate) models/payments_fraud$(foreach data,$(DATA), --data $(data))"

# --- On AWS --------------------------------------------------------------------------------------------

.PHONY: package
package: .venv/.ready ## Build .build/<policy>.zip for every policy, and access.zip (PYTHON=3.13 ARCH=arm64 SHADOW=candidate)
	@for policy in $(POLICIES); do $(BIN)/tidegate package --policy $$policy --python $(PYTHON) --arch $(ARCH) \
	  $(if $(SHADOW),--shadow $(SHADOW)); done
	@$(BIN)/tidegate package --access $(addprefix --policy ,$(POLICIES)) --python $(PYTHON) --arch $(ARCH)

.PHONY: plan
plan: checked package ## Show what an environment would become, policy and model first: make plan ENV=dev (OUT=file keeps it)
	@$(TERRAFORM) plan $(ENV) -var=runtime=python$(PYTHON) -var=architecture=$(ARCH) $(if $(OUT),-out=$(abspath $(OUT)))

.PHONY: apply
apply: checked package ## Bring an environment about, after asking: make apply ENV=dev
	@$(TERRAFORM) apply $(ENV) -var=runtime=python$(PYTHON) -var=architecture=$(ARCH)

.PHONY: release
release: checked package ## Try a new version on a part of the stream, watch it, go on or back: make release ENV=prod CANARY=10 (FOR=15m STREAM=payments)
	@[ -n "$(CANARY)" ] || { echo "On how much of the stream? make release ENV=$(ENV) CANARY=10" >&2; exit 2; }
	@$(BIN)/tidegate release --env $(ENV) --canary $(CANARY) $(if $(FOR),--for $(FOR)) $(if $(STREAM),--stream $(STREAM)) \
	  -- -var=runtime=python$(PYTHON) -var=architecture=$(ARCH)

.PHONY: rollback
# Of what is there: nothing is built or checked, so that it takes seconds.
rollback: .venv/.ready ## Send a stream to the version before, or take a canary back: make rollback ENV=prod (STREAM=payments TO=12)
	@[ -n "$(ENV)" ] || { echo "Which environment? make rollback ENV=prod" >&2; exit 2; }
	@$(BIN)/tidegate rollback --env $(ENV) $(if $(STREAM),--stream $(STREAM)) $(if $(TO),--to $(TO))

.PHONY: backfill
backfill: .venv/.ready ## Bring what is in a table already through the gate: make backfill ENV=prod (STREAM=payments EXPORT=arn)
	@[ -n "$(ENV)" ] || { echo "Which environment? make backfill ENV=dev" >&2; exit 2; }
	@$(BIN)/tidegate backfill --env $(ENV) --stream $(or $(STREAM),payments) $(if $(EXPORT),--export $(EXPORT))

.PHONY: checked
checked: .venv/.ready
	@[ -n "$(ENV)" ] || { echo "Which environment? make plan ENV=dev" >&2; exit 2; }
	@$(BIN)/tidegate policy check $(POLICIES)
	@$(BIN)/tidegate policy test $(POLICIES)
