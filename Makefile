# hotcert. `make help` lists the targets.
#
# BUILD=dir            builds elsewhere than in build/
# SAN=list             builds with sanitizers (clang): SAN=address,undefined or SAN=thread
# NGINX_SRC=dir        builds the nginx module against this source tree of nginx 1.22 or later
# RIG=dir              downloaded test tools; default: build/rig
# DESTDIR=dir          installs below dir
# PREFIX=dir           of the program and its documentation; default: /usr
# WERROR=1             makes an error of every warning of the compiler
# V=1                  shows the commands that build
#
# Where servers look is asked of themselves (packaging/paths.sh), unless these say it:
#
# NGINX=file           the program nginx
# NGINX_MODULES=dir    where nginx's module is installed
# NGINX_SNIPPETS=dir   where the file that loads it is installed
# APXS=file            the program apxs of httpd
# HTTPD_MODULES=dir    where httpd's module is installed
# HTTPD_SNIPPETS=dir   where the file that loads it is installed

BUILD     ?= build
# Downloaded test tools: one folder for all builds, kept by `make clean`.
RIG       ?= build/rig
NGINX_SRC ?=
DESTDIR   ?=
PREFIX    ?= /usr

ifeq ($(origin CC),default)
CC         = gcc
endif
WARN       = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion \
             -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wvla -Wcast-qual \
             -Wwrite-strings $(if $(WERROR),-Werror)
OPT       ?= -O2 -g
HARDEN    ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2
# clang 14 where it is, else what is called clang
CLANG     := $(or $(shell command -v clang-14 2>/dev/null),clang)
ifneq ($(SAN),)
CC        := $(CLANG)
OPT        = -O1 -g -fno-omit-frame-pointer -fsanitize=$(SAN) -fno-sanitize-recover=all
HARDEN     =
LDSAN      = -fsanitize=$(SAN) $(LDEXTRA)
endif
CFLAGS    += $(WARN) $(OPT) $(HARDEN) -fPIC -fvisibility=hidden -Icore
LDHARDEN   = -Wl,-z,relro,-z,now
LIGHT_LIBS = -lidn2 -lssl -lcrypto -lpthread
LIBS       = -lcurl -lexpat -ljansson -lldns -lpsl $(LIGHT_LIBS)

# The floors of core/ (t/lint/layers.t): what the server modules link, and what only the program links.
LIGHT      = base loop conf live pki keeper glue
HEAVY      = net store acme solve dns preflight agent
objects    = $(patsubst core/%.c,$(BUILD)/core/%.o,$(foreach d,$(1),$(wildcard core/$(d)/*.c)))
LIGHT_O    = $(call objects,$(LIGHT))
HEAVY_O    = $(call objects,$(HEAVY))
CMD_O      = $(call objects,cmd)
# The commands without their main(), so that unit tests can link them.
CMD_LIB_O  = $(filter-out %/main.o,$(CMD_O))
UNIT       = $(patsubst t/unit/%.c,$(BUILD)/t/unit/%,$(wildcard t/unit/*_test.c))
FUZZ       = $(patsubst t/fuzz/%.c,$(BUILD)/t/fuzz/%,$(wildcard t/fuzz/fuzz_*.c))
SCENARIOS  = $(sort $(wildcard t/scenarios/*.t))

NGX_SO     = $(BUILD)/ngx_http_hotcert_module.so
HTTPD_SO   = $(BUILD)/mod_hotcert.so
PROGRAM    = $(BUILD)/hotcert

# One server is enough.
NO_NGINX  := $(shell NGINX='$(NGINX)' NGINX_SRC='$(NGINX_SRC)' sh packaging/paths.sh nginx-missing)
NO_HTTPD  := $(shell APXS='$(APXS)' sh packaging/paths.sh httpd-missing)
NGINX_HERE = $(if $(NO_NGINX),,nginx)
HTTPD_HERE = $(if $(NO_HTTPD),,httpd)

all: program $(NGINX_HERE) $(HTTPD_HERE)    ## the program, and a module for each installed server (the default)
	$(if $(NO_NGINX),@echo "skipping nginx's module: $(NO_NGINX)")
	$(if $(NO_HTTPD),@echo "skipping httpd's module: $(NO_HTTPD)")
nginx: $(NGX_SO)                            ## nginx's module
httpd: $(HTTPD_SO)                          ## Apache httpd's module
modules: nginx httpd
program: $(PROGRAM)                         ## the program `hotcert`
lib: $(BUILD)/libhotcert-light.a $(BUILD)/libhotcert.a

help:                                       ## this list
	@sed -n 's/^# \([A-Z_]*=.*\)/  \1/p' Makefile
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# ---- building ----

# One short line for each file; V=1 shows the commands.
Q          = $(if $(V),,@printf '  %s\n' '$@' && )

# Objects depend on the flags they were made with: another compiler or sanitizer rebuilds them.
FLAGS_NOW  = $(CC) $(CFLAGS) $(LDSAN) $(NGINX_SRC)
$(BUILD)/.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' >$@

$(BUILD)/core/%.o: core/%.c $(BUILD)/.flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

# A clock that is before this is wrong. The same sources give the same program.
BUILT     ?= $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),$(shell date -r CHANGES.md +%s))
$(BUILD)/core/cmd/agent.o: private CFLAGS += -DHC_BUILT=$(BUILT)

# The lists of members are dependencies as well, so that a removed source file leaves the library.
$(BUILD)/libhotcert-light.a: $(LIGHT_O) $(BUILD)/.flags
	$(Q)rm -f $@ && ar rcs $@ $(LIGHT_O)

$(BUILD)/libhotcert.a: $(LIGHT_O) $(HEAVY_O) $(BUILD)/.flags
	$(Q)rm -f $@ && ar rcs $@ $(LIGHT_O) $(HEAVY_O)

$(PROGRAM): $(CMD_O) $(BUILD)/libhotcert.a
	$(Q)$(CC) $(LDSAN) $(LDHARDEN) $(LDPROGRAM) -o $@ $(CMD_O) $(BUILD)/libhotcert.a $(LIBS)

# nginx's own flags are used for nginx's module; ours must not reach its configure.

# Headers of which no object of the library may know: core/hotcert.h, what is inline.
LIGHT_H    = $(wildcard core/*.h $(foreach d,$(LIGHT),core/$(d)/*.h core/$(d)/*.def))

$(NGX_SO): $(wildcard ngx_module/*.sh ngx_module/*/* config) $(LIGHT_H) $(BUILD)/libhotcert-light.a
	$(Q)env -u CFLAGS -u MAKEFLAGS CC='$(CC)' LDSAN='$(LDSAN)' NGINX_SRC='$(NGINX_SRC)' WERROR='$(WERROR)' sh ngx_module/build.sh $(BUILD)

$(HTTPD_SO): $(wildcard apache_module/*) $(LIGHT_H) $(BUILD)/libhotcert-light.a
	$(Q)CC='$(CC)' CFLAGS='$(CFLAGS)' LDSAN='$(LDSAN)' sh apache_module/build.sh $(BUILD)

# A unit test links its own floor and what is below: t/unit/live_table_test.c the light library alone.
UNIT_CC    = mkdir -p $(@D) && $(CC) $(CFLAGS) -Wno-missing-prototypes -It/unit -MMD -MP $(LDSAN) -o $@ $<
UNIT_LIGHT = $(filter $(foreach d,$(LIGHT),$(BUILD)/t/unit/$(d)_%),$(UNIT))
UNIT_CMD   = $(filter $(BUILD)/t/unit/cmd_%,$(UNIT))
UNIT_HEAVY = $(filter-out $(UNIT_LIGHT) $(UNIT_CMD),$(UNIT))

$(UNIT_LIGHT): $(BUILD)/t/unit/%: t/unit/%.c $(BUILD)/libhotcert-light.a
	$(Q)$(UNIT_CC) $(BUILD)/libhotcert-light.a $(LIBS)

$(UNIT_HEAVY): $(BUILD)/t/unit/%: t/unit/%.c $(BUILD)/libhotcert.a
	$(Q)$(UNIT_CC) $(BUILD)/libhotcert.a $(LIBS)

$(UNIT_CMD): $(BUILD)/t/unit/%: t/unit/%.c $(CMD_LIB_O) $(BUILD)/libhotcert.a
	$(Q)$(UNIT_CC) $(CMD_LIB_O) $(BUILD)/libhotcert.a $(LIBS)

# ---- testing ----

# Programs of the tests. Named before the rules that want them.
BENCH_BIN  = $(BUILD)/handshakes $(BUILD)/benchtool $(BUILD)/thief $(BUILD)/loads $(BUILD)/t/unit/agent_memory_test

# Scenarios mostly wait: three at a time keep two cores busy.
PROVE     ?= -j3

# Each target takes its own of the five lists in t/lib/packages.txt.
DEPS       = sh t/lib/deps.sh $(RIG)
deps:                                       ## install missing Debian packages, and Pebble
	@$(DEPS) build demo test lint
deps-build:                                 ## only those for building (headers, a compiler)
	@$(DEPS) build
deps-demo:                                  ## those, and those for the demonstration (nginx, httpd, Pebble)
	@$(DEPS) build demo
deps-test:                                  ## those, and those for the tests and the benchmark
	@$(DEPS) build demo test
deps-lint:                                  ## those for building and the lints
	@$(DEPS) build lint

# Dependencies first, then a make of its own: on a bare machine nothing can be built before them.
test:                                       ## deps, build, unit tests, scenarios on both servers
	@$(MAKE) --no-print-directory deps-test
	@$(MAKE) --no-print-directory modules program units $(BENCH_BIN)
	HOTCERT_BUILD=$(BUILD) HOTCERT_RIG=$(RIG) prove $(PROVE) $(UNIT) $(SCENARIOS)

units: $(UNIT)
unit: $(UNIT)                               ## only the unit tests
	prove $(PROVE) $(UNIT)

scenarios: modules program $(BENCH_BIN)     ## only the scenarios; T=t/scenarios/x.t for one
	HOTCERT_BUILD=$(BUILD) HOTCERT_RIG=$(RIG) prove $(PROVE) $(if $(T),$(T),$(SCENARIOS))

unit-asan:                                  ## the unit tests under ASan and UBSan
	$(MAKE) --no-print-directory BUILD=$(BUILD)/asan SAN=address,undefined unit

# How long each fuzz target runs.
FUZZ_SECONDS ?= 5
$(BUILD)/t/fuzz/%: t/fuzz/%.c $(CMD_LIB_O) $(BUILD)/libhotcert.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -Wno-missing-prototypes -fsanitize=fuzzer -MMD -MP -o $@ $< $(CMD_LIB_O) \
	    $(BUILD)/libhotcert.a $(LIBS)

fuzz-targets: $(FUZZ)
fuzz-short:                                 ## each fuzz target for FUZZ_SECONDS
	$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz SAN=fuzzer-no-link,address,undefined fuzz-targets
	sh t/lib/fuzz.sh $(BUILD)/fuzz $(FUZZ_SECONDS)

check-deep:                                 ## all tests under sanitizers, long fuzzing (nightly)
	bash t/lib/check-deep.sh $(BUILD) $(RIG)

demo:                                       ## deps, build, and a demonstration; KEEP=1 keeps it running
	@$(MAKE) --no-print-directory deps-demo
	@$(MAKE) --no-print-directory modules program $(BENCH_BIN)
	@HOTCERT_BUILD=$(BUILD) HOTCERT_RIG=$(RIG) KEEP=$(KEEP) perl t/demo/demo.pl

bench:                                      ## the benchmark; BENCH_SMOKE=1 for a short run
	@$(MAKE) --no-print-directory deps-test
	@$(MAKE) --no-print-directory modules program $(BENCH_BIN)
	HOTCERT_BUILD=$(BUILD) HOTCERT_RIG=$(RIG) perl t/bench/bench.pl

$(BUILD)/loads: t/lib/loads.c $(BUILD)/libhotcert.a
	$(Q)$(CC) $(CFLAGS) -MMD -MP $(LDSAN) -o $@ $< $(BUILD)/libhotcert.a $(LIBS)

$(BUILD)/thief: t/lib/thief.c $(BUILD)/.flags
	$(Q)$(CC) $(CFLAGS) $(LDSAN) -o $@ $<

$(BUILD)/handshakes: t/bench/handshakes.c $(BUILD)/.flags
	$(Q)$(CC) $(CFLAGS) $(LDSAN) -o $@ $< -lssl -lcrypto

$(BUILD)/benchtool: t/bench/benchtool.c $(BUILD)/libhotcert-light.a
	$(Q)$(CC) $(CFLAGS) -MMD -MP $(LDSAN) -o $@ $< $(BUILD)/libhotcert-light.a $(LIGHT_LIBS)

# ---- documents ----

$(BUILD)/gendocs: t/lib/gendocs.c $(BUILD)/libhotcert-light.a
	$(Q)$(CC) $(CFLAGS) -MMD -MP $(LDSAN) -o $@ $< $(BUILD)/libhotcert-light.a $(LIGHT_LIBS)

docs: $(BUILD)/gendocs                      ## write docs/directives.md and docs/problems.md
	$(BUILD)/gendocs directives >docs/directives.md
	$(BUILD)/gendocs problems >docs/problems.md

docs-check: $(BUILD)/gendocs                ## fail if those two are out of date
	$(BUILD)/gendocs directives | diff -u docs/directives.md -
	$(BUILD)/gendocs problems | diff -u docs/problems.md -

# ---- lints ----

C_FILES    = $(wildcard core/*/*.c ngx_module/*/*.c apache_module/*.c t/unit/*.c t/fuzz/*.c t/bench/*.c t/lib/*.c)
H_FILES    = $(wildcard core/*.h core/*/*.h ngx_module/*/*.h apache_module/*.h t/unit/*.h t/fuzz/*.h)
LINT_FLAGS = $(filter-out -Werror -D_FORTIFY_SOURCE%,$(CFLAGS))

lint: format-check docs-check tidy cppcheck analyzer musl  ## every lint
	prove t/lint

# Another clang-format breaks lines elsewhere.
format-check:
	@clang-format-14 --dry-run -Werror $(C_FILES) $(H_FILES)

tidy:
	@sh t/lint/tidy.sh $(wildcard core/*/*.c) -- $(WARN) -Icore

cppcheck:
	@cppcheck -q --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 -j2 \
	    --suppressions-list=t/lint/cppcheck.txt -Icore -D_GNU_SOURCE \
	    -D'LIST_HEAD(name,type)=struct type *' -D'LIST_ENTRY(type)=struct type *' \
	    -D'TAILQ_HEAD(name,type)=struct type *' -D'TAILQ_ENTRY(type)=struct type *' core

analyzer:
	@sh t/lint/analyzer.sh $(wildcard core/*/*.c) -- $(CFLAGS)

musl:                                       ## compile core/ against musl, the C library of Alpine
	@sh t/lint/musl.sh $(BUILD)/musl $(wildcard core/*/*.c) -- $(filter-out -Wsign-conversion -Werror,$(WARN)) \
	    -Wno-sign-conversion -Werror $(OPT) -Icore

# ---- installing ----

DOC        = $(DESTDIR)$(PREFIX)/share/doc/hotcert
INSTALLED  = $(PREFIX)/share/doc/hotcert/installed
INSTALL    = @DESTDIR='$(DESTDIR)' sh packaging/install.sh

install: all install-program $(NGINX_HERE:%=install-%) $(HTTPD_HERE:%=install-%)  ## install the modules that were built, and the lines that load them
install-program: program
	install -D -m 0711 $(PROGRAM) $(DESTDIR)$(PREFIX)/sbin/hotcert
	install -D -m 0644 packaging/acme-dnsapi.sh $(DESTDIR)$(PREFIX)/share/hotcert/acme-dnsapi.sh
	install -d -m 0755 $(DOC)
	install -d -m 0755 $(DOC)/docs
	install -m 0644 README.md CHANGES.md LICENSE $(DOC)
	install -m 0644 docs/*.md $(DOC)/docs
	$(INSTALL) user $(INSTALLED)
install-nginx: nginx install-program        ## the program and nginx's module
	$(INSTALL) nginx $(NGX_SO) $(INSTALLED)
install-httpd: httpd install-program        ## the program and httpd's module
	$(INSTALL) httpd $(HTTPD_SO) $(INSTALLED)

uninstall:                                  ## remove the installed files; keep the store
	$(INSTALL) uninstall $(INSTALLED)
	rm -f $(DESTDIR)$(PREFIX)/sbin/hotcert
	rm -rf $(DOC) $(DESTDIR)$(PREFIX)/share/hotcert

# ---- cleaning ----

clean:                                      ## remove the build; keep downloaded test tools
	@if [ -d '$(BUILD)' ]; then find '$(BUILD)' -mindepth 1 -maxdepth 1 ! -name rig -exec rm -rf {} +; fi

distclean: clean                            ## those too
	rm -rf $(RIG)

FORCE:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all modules nginx httpd musl install-program install-nginx install-httpd program lib help deps deps-build deps-demo deps-test deps-lint test units unit scenarios unit-asan fuzz-targets fuzz-short \
    check-deep demo bench docs docs-check lint format-check tidy cppcheck analyzer install uninstall \
    clean distclean FORCE
