# SPDX-License-Identifier: GPL-2.0
# The two commands are `make series` and `make test`; README.md says what they do.

NAME ?= zerocopy
BASE ?= net-next
OUT ?= out/$(NAME)
PROFILE ?= release
TXGEN = target/$(PROFILE)/txgen

.PHONY: series test setup lint unit guest prove broken compare selftests debug rust mutations bench counts rebase txgen base install install-files clean

# What builds Rust for the kernel, where a series touches Rust.
rust-of = ! grep -q '\.rs"' series/$(1)/series.toml || vm-tests/rust.sh

series: setup base
	$(call rust-of,$(NAME))
	$(TXGEN) generate --check
	$(TXGEN) apply $(NAME)
	$(TXGEN) check $(NAME)
	$(TXGEN) test $(NAME) --tip
	$(TXGEN) status $(NAME)
	$(TXGEN) format-series $(NAME) -o $(OUT)

# One profile serves all of it, so that nothing is compiled twice.
test:
	vm-tests/setup.sh test
	$(MAKE) lint
	$(MAKE) base PROFILE=debug
	$(MAKE) guest PROFILE=debug
	$(MAKE) unit

unit:
	cargo nextest run

# Every series: each patch checked. One of them: the tip booted with its suites and compared with the base.
guest:
	set -e; for name in $(notdir $(patsubst %/,%,$(dir $(wildcard series/*/series.toml)))); do \
		$(call rust-of,$$name); $(TXGEN) check $$name; done
	$(TXGEN) test $(NAME) --tip --against-base

# What is not on record as built and booted, of every series, the newest changes first, for some minutes.
MINUTES ?= 35
prove: setup base
	$(TXGEN) prove --minutes $(MINUTES)

# A series that is broken on purpose: each fault has to be found at its patch.
broken: setup base
	TXGEN=$(TXGEN) vm-tests/broken-series.sh

# How long that takes from cold and after a change to the last patch, and what `git rebase --exec` takes. An hour or more.
NAIVE ?= net
NAIVE_JOBS ?= $(shell nproc)
compare: setup base
	TXGEN=$(TXGEN) vm-tests/compare-proofs.sh --naive-config $(NAIVE) --naive-jobs $(NAIVE_JOBS) $(NAME)

lint:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

# The kernel's own selftests on the base and the tip: the same results.
selftests: setup base
	$(TXGEN) test $(NAME) --tip --against-base --selftests

# The tip under KASAN, lockdep and kmemleak.
debug: setup base
	$(TXGEN) test $(NAME) --tip --config debug

# Each patch of the series for Rust, with the examples of the documentation and the tests of modules; its sample, loaded
# and removed.
rust: setup base
	vm-tests/rust.sh
	$(TXGEN) test rust --all --config rust
	$(TXGEN) test rust --tip --config rust --selftests=rust_txbuf

# Each mutation in vm-tests/mutations/NAME has to be noticed by those that it names.
mutations: setup base
	$(TXGEN) mutate $(NAME)

# What the series costs in executed instructions, with gup-batch beneath it, too: the table of its cover letter.
WITH ?= $(if $(filter zerocopy,$(NAME)),gup-batch)
counts: setup base
	$(TXGEN) bench $(NAME) $(addprefix --with ,$(WITH)) -o series/$(NAME)/bench.md

# The series to another base and back, byte for byte, on the real trees; then how other tools do it.
ONTO ?= pre-devmem
rebase: setup base
	$(TXGEN) base fetch $(ONTO)
	TXGEN=$(TXGEN) vm-tests/round-trip.sh $(NAME) $(ONTO)
	TXGEN=$(TXGEN) vm-tests/compare-rebase.sh $(NAME) $(ONTO)

bench: setup base
	cargo bench --bench apply
	cargo bench --bench format

# The program, its manual pages, and what bash, zsh and fish complete.
PREFIX ?= /usr/local
SHARE = $(DESTDIR)$(PREFIX)/share
install: txgen install-files

install-files:
	install -D -m 755 $(TXGEN) $(DESTDIR)$(PREFIX)/bin/txgen
	$(TXGEN) man $(SHARE)/man/man1
	install -d $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	$(TXGEN) completions bash > $(SHARE)/bash-completion/completions/txgen
	$(TXGEN) completions zsh > $(SHARE)/zsh/site-functions/_txgen
	$(TXGEN) completions fish > $(SHARE)/fish/vendor_completions.d/txgen.fish

base: txgen
	$(TXGEN) base fetch $(BASE)

txgen:
	cargo build $(if $(filter release,$(PROFILE)),--release)

setup:
	vm-tests/setup.sh

clean:
	rm -rf target out
