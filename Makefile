# SPDX-License-Identifier: GPL-2.0
# The two commands are `make series` and `make test`; README.md says what they do.

NAME ?= zerocopy
BASE ?= net-next
OUT ?= out/$(NAME)
TXGEN := target/release/txgen

.PHONY: series test setup setup-test txgen lint guest debug mutations bench clean

series: setup txgen
	$(TXGEN) base fetch $(BASE)
	$(TXGEN) generate --check
	$(TXGEN) apply $(NAME)
	$(TXGEN) check $(NAME)
	$(TXGEN) test $(NAME) --tip
	$(TXGEN) status $(NAME)
	$(TXGEN) format-series $(NAME) -o $(OUT)

test: setup-test lint txgen
	$(TXGEN) base fetch $(BASE)
	cargo nextest run
	$(MAKE) guest

# The series itself: every patch checked, the tip booted with its suites and compared with the base.
guest: txgen
	$(TXGEN) check $(NAME)
	$(TXGEN) test $(NAME) --tip --against-base

lint:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

# The tip under KASAN, lockdep and kmemleak.
debug: setup txgen
	$(TXGEN) base fetch $(BASE)
	$(TXGEN) test $(NAME) --tip --config debug

# Each mutation in vm-tests/mutations has to make the suites fail that it names.
mutations: setup txgen
	$(TXGEN) base fetch $(BASE)
	$(TXGEN) mutate $(NAME)

bench: setup txgen
	$(TXGEN) base fetch $(BASE)
	cargo bench

txgen:
	cargo build --release

setup:
	vm-tests/setup.sh

setup-test:
	vm-tests/setup.sh test

clean:
	rm -rf target out
