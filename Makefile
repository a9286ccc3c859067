# zcserve: build, test, install. `make help` lists what there is to make.
#
# Everything made goes below $(BUILD), one directory for each flavour, so that the flavours do not
# disturb each other:  build/release/zcserve, build/debug/src/http/conn.o, build/asan/tests/unit/…

BUILD   ?= build
FLAVOUR ?= release
VERSION ?= 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 20
STRESS_SECONDS ?= 120

SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)/zcserve
SHAREDIR   ?= $(PREFIX)/share/zcserve

# clang has the fuzzer; else the distribution's gcc, unless told otherwise: make CC=clang
ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(FLAVOUR)),clang,gcc)
endif
CLANG_FORMAT ?= clang-format
CLANG_TIDY   ?= clang-tidy

# As a word of the shell, since the checkout's own path may have spaces.
absolute   = '$(subst ','\'',$(if $(filter /%,$(1)),,$(CURDIR)/)$(1))'

# The wildcard lists are sorted: the order of linking must not depend on the file system.
OUT       := $(BUILD)/$(FLAVOUR)
SOURCES   := $(sort $(wildcard src/*.c src/*/*.c))
HEADERS   := $(sort $(wildcard include/zcserve/*.h src/*/*.h tests/unit/*.h tests/fuzz/*.h tests/inject/*.h))
UNITS     := $(sort $(wildcard tests/unit/test_*.c))
HELPERS   := $(filter-out $(UNITS),$(sort $(wildcard tests/unit/*.c)))
BENCHES   := $(sort $(wildcard bench/*.c))
FUZZERS   := $(sort $(wildcard tests/fuzz/fuzz_*.c))
# The laboratory: an experiment is a file below experiments/, found here and nowhere listed.
LAB_SOURCES := $(sort $(wildcard bench/lab/*.c bench/lab/experiments/*.c))
FORMATTED := $(SOURCES) $(HEADERS) $(LAB_SOURCES) $(sort $(wildcard tests/*/*.c bench/*.c bench/*.h bench/lab/*.h bench/lab/experiments/*.h conf/expand/*.[ch]))
OBJECTS   := $(SOURCES:%.c=$(OUT)/%.o)
ROOMS     := $(filter-out $(OUT)/src/main.o $(OUT)/src/tool% $(OUT)/src/precompress/% $(OUT)/src/doctor/%,$(OBJECTS))
# The tools are a program of their own: the server would start with twice the memory for their libraries.
TOOL_ROOMS := $(filter $(addprefix $(OUT)/src/,tool/% precompress/% doctor/% base/% encode/% config/% net/% type/% \
    $(addsuffix .o,stats/board stats/histogram start/limits process/cpu store/beneath store/links store/compressible store/file store/identity \
    model/shape model/ring model/ring_buffers model/ring_count model/ring_remedy model/ring_restrict model/ring_try)),$(OBJECTS))
TOOL_UNITS := $(filter $(patsubst %.c,tests/unit/test_%.c,$(notdir $(wildcard src/tool/*.c src/doctor/*.c))) \
    tests/unit/test_precompress_%,$(UNITS))
LAB_ROOMS := $(LAB_SOURCES:%.c=$(OUT)/%.o) $(addprefix $(OUT)/src/,stats/histogram.o doctor/device.o doctor/kernel_file.o)
LAB_UNITS := $(filter tests/unit/test_lab_%,$(UNITS))
# What expands the templates of the manual pages and of the shell's completion.
EXPAND     := $(OUT)/conf/expand/expand
EXPAND_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard conf/expand/*.c)))
EXPAND_UNITS := $(filter tests/unit/test_expand_%,$(UNITS))
EXPANDED   := $(patsubst conf/%.in,$(OUT)/%,$(sort $(wildcard conf/man/*.in conf/completion/*.in)))
PROGRAMS  := $(OUT)/zcserve $(OUT)/zcserve-tool

# ---- flags -------------------------------------------------------------------------------------

# NAME = $(eval NAME := …)$(NAME) asks once, and only when something is compiled: the compiler may
# not be installed yet.
cc_takes = $(shell printf '\043include <features.h>\n' | $(CC) -O2 -Werror $(1) -x c -c - -o /dev/null 2>/dev/null && echo '$(1)')

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wpointer-arith -Wcast-qual -Wformat=2 -Wvla -Wundef -Wwrite-strings
ifneq ($(filter true 1,$(CI) $(WERROR)),)
WARNINGS += -Werror
endif

HARDENING = $(eval HARDENING := $(strip -fPIE -fstack-protector-strong \
    $(call cc_takes,-fstack-clash-protection) $(call cc_takes,-fcf-protection) -U_FORTIFY_SOURCE \
    $(or $(call cc_takes,-D_FORTIFY_SOURCE=3),-D_FORTIFY_SOURCE=2)))$(HARDENING)
HARDENED_LINK := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
LTO = $(eval LTO := $(if $(findstring clang,$(shell $(CC) --version)),,-flto=auto))$(LTO)
UNDEFINED := -fsanitize=undefined -fno-sanitize-recover=all

# The path of the checkout does not get into the programs, so that two builds have the same bytes.
SAME_BYTES := -ffile-prefix-map='$(CURDIR)'=.

CFLAGS_release  = -O3 -g $(LTO) $(HARDENING) $(SAME_BYTES)
LDFLAGS_release = $(HARDENED_LINK)
CFLAGS_debug   := -O1 -g -fno-omit-frame-pointer -U_FORTIFY_SOURCE
# A sanitizer's report needs lines, and no variables: compiling takes a sixth less. What observes a program
# needs files and system calls that the sandbox would take away (ZCSERVE_OBSERVED).
CFLAGS_lines   := $(patsubst -g,-g1,$(CFLAGS_debug)) -DZCSERVE_OBSERVED
CFLAGS_asan    := $(CFLAGS_lines) -fsanitize=address $(UNDEFINED)
CFLAGS_tsan    := $(CFLAGS_lines) -fsanitize=thread
CFLAGS_fuzz    := $(CFLAGS_lines) -fsanitize=fuzzer-no-link,address $(UNDEFINED)
CFLAGS_coverage := -O0 -g --coverage -fprofile-update=atomic -DZCSERVE_OBSERVED
ifeq ($(origin CFLAGS_$(FLAVOUR)),undefined)
$(error no flavour '$(FLAVOUR)': release, debug, asan, tsan, fuzz, coverage)
endif

# _GNU_SOURCE is empty, so that a file may define it itself too.
LANGUAGE := -std=gnu11 -D_GNU_SOURCE= -Iinclude -Isrc

# CFLAGS and LDFLAGS are left to whoever calls make; they come last and so have the last word.
# assert() stays on in every flavour: no -DNDEBUG.
COMPILE = $(CC) $(LANGUAGE) $(WARNINGS) $(CFLAGS_$(FLAVOUR)) $(ALSO) $(CFLAGS)
LINK    = $(CC) $(CFLAGS_$(FLAVOUR)) $(CFLAGS) $(LDFLAGS_$(FLAVOUR)) -Wl,--as-needed $(LDFLAGS)
# A package for a Debian that lacks a library has the library inside: LLHTTP=-l:libllhttp.a
LLHTTP ?= -lllhttp
URING  ?= -luring
AIO    ?= -laio
LIBS   := -lev $(LLHTTP) $(URING) -lseccomp -pthread -lm
TOOL_LIBS = $(eval TOOL_LIBS := $(shell pkg-config --libs libcurl jansson ncursesw \
    libdeflate libbrotlienc libbrotlidec libzstd))$(TOOL_LIBS)
LAB_LIBS = $(eval LAB_LIBS := $(URING) $(AIO) $(shell pkg-config --libs libuv libzstd zlib jansson) -pthread -lm)$(LAB_LIBS)
CHECK_LIBS = $(eval CHECK_LIBS := $(shell pkg-config --libs check))$(CHECK_LIBS)

DESCRIPTION := $(shell git describe --always --dirty --tags 2>/dev/null)
# The time of the newest change, in Unix time: manual pages and packages have it, not the time of the build.
ifeq ($(origin SOURCE_DATE_EPOCH),undefined)
SOURCE_DATE_EPOCH := $(or $(shell git log -1 --format=%ct 2>/dev/null),0)
endif
VERSION_TEXT = $(VERSION)$(if $(DESCRIPTION), ($(DESCRIPTION)))
BUILD_TEXT   = $(eval BUILD_TEXT := $(notdir $(CC)) $(shell $(CC) -dumpfullversion -dumpversion) $(FLAVOUR) \
    $(filter -O% -flto% -fsanitize=% -D_FORTIFY_SOURCE=%,$(CFLAGS_$(FLAVOUR)) $(CFLAGS)))$(BUILD_TEXT)

# ---- programs ----------------------------------------------------------------------------------

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

.PHONY: all
all: $(PROGRAMS) ## build the server and its tools, hardened and optimised (build/zcserve is a link to it)
	@ln -sfn $(FLAVOUR)/zcserve $(BUILD)/zcserve

# Commands are shown by name; make V=1 shows them whole.
say = $(if $(V),,@printf '%-8s %s\n' $(1) $@ && )

.PHONY: FORCE need
TEST_GOALS := test packages-test coverage unit lab-test lessons-test lessons-exercises replay integration families differential foreign clients page chaos cluster network soak asan tsan fuzz stress inject tidy format format-check unit-programs fuzz-programs
# Installs what this call of make needs, when something is missing.
NEEDS := build $(if $(filter $(TEST_GOALS) fuzz,$(MAKECMDGOALS) $(FLAVOUR)),test lab) \
    $(if $(filter lab lab-test manuals install%,$(MAKECMDGOALS)),lab) \
    $(if $(filter differential,$(MAKECMDGOALS)),compare) $(if $(filter clients cluster network soak,$(MAKECMDGOALS)),clients)
need:
	@$(if $(NEEDS),.ci/deps --check $(NEEDS) || .ci/deps $(NEEDS))

# Text that a build depends on: the file is looked at every time, and written when the text is new.
stamp = @mkdir -p $(@D); text='$(subst ','\'',$(1))'; \
    test "$$(cat $@ 2>&1)" = "$$text" || printf '%s\n' "$$text" > $@
$(OUT)/flags.stamp: FORCE | need
	$(call stamp,$(COMPILE) / $(LINK))
$(OUT)/version.stamp: FORCE | need
	$(call stamp,$(VERSION_TEXT) / $(BUILD_TEXT) / $(SYSCONFDIR))

# Only these say which version they are, so that a commit does not rebuild all.
$(OUT)/src/main.o $(OUT)/src/config/%.o: private ALSO = \
    -DZCSERVE_VERSION='"$(VERSION_TEXT)"' -DZCSERVE_BUILD='"$(strip $(BUILD_TEXT))"' \
    -DZCSERVE_CONFIG_FILE='"$(SYSCONFDIR)/serve.conf"'
$(filter $(OUT)/src/main.o $(OUT)/src/config/%.o,$(OBJECTS)): $(OUT)/version.stamp

$(OUT)/%.o: %.c $(OUT)/flags.stamp
	@mkdir -p $(@D)
	$(call say,compile)$(COMPILE) -MMD -MP -c $< -o $@

# It embeds the files of the live page.
$(OUT)/src/status/asset.o: $(wildcard src/status/page/*)

$(OUT)/zcserve: $(OUT)/src/main.o $(ROOMS)
	$(call say,link)$(LINK) $^ $(LIBS) -o $@

$(OUT)/zcserve-tool: $(OUT)/src/tool_main.o $(TOOL_ROOMS)
	$(call say,link)$(LINK) $^ $(LIBS) $(TOOL_LIBS) -o $@

# The programs of the unit tests and of the fuzzer take from an archive the objects that they use: a hundred and fifty
# programs of all objects take minutes to link. Not so where ar cannot read the objects (link-time optimisation), or
# where what no test uses has to be counted too.
ARCHIVED := $(if $(filter release coverage,$(FLAVOUR)),,true)
archive_of = $(if $(ARCHIVED),$(OUT)/$(1).a,$(2))
UNIT_ROOMS      := $(call archive_of,rooms,$(ROOMS))
UNIT_TOOL_ROOMS := $(call archive_of,tool_rooms,$(TOOL_ROOMS))
UNIT_HELPERS    := $(call archive_of,helpers,$(HELPERS:%.c=$(OUT)/%.o))
UNIT_TOOL_HELPERS := $(call archive_of,helpers,$(addprefix $(OUT)/tests/unit/,marks.o recorded.o made_up.o loaded.o))
# The fuzzer's flavour, which nothing but the targets has, is made of the rooms that they use.
FUZZED_ROOMS := access base config encode http limit listing model net process service stats store tool type users worker
in_flavour = $(if $(filter fuzz,$(FLAVOUR)),$(filter $(FUZZED_ROOMS:%=$(OUT)/src/%/%),$(1)),$(1))
$(OUT)/rooms.a: $(call in_flavour,$(ROOMS))
$(OUT)/tool_rooms.a: $(call in_flavour,$(TOOL_ROOMS))
$(OUT)/helpers.a: $(HELPERS:%.c=$(OUT)/%.o)
$(OUT)/%.a:
	@rm -f $@
	$(call say,archive)ar rcsT $@ $^

# See tests/unit/marks.c.
UNMARKED := -Wl,--wrap=_mark_point
$(TOOL_UNITS:%.c=$(OUT)/%): $(OUT)/%: $(OUT)/%.o $(UNIT_TOOL_HELPERS) $(UNIT_TOOL_ROOMS)
	$(call say,link)$(LINK) $(UNMARKED) $^ $(CHECK_LIBS) $(LIBS) $(TOOL_LIBS) -o $@

$(OUT)/bench/lab/page_style.o: bench/page.css
$(OUT)/bench/lab/experiments/prefetch.o: bench/lab/experiments/prefetch_trace.txt
$(OUT)/bench/lab/experiments/formats_parquet.o: bench/lab/experiments/formats_parquet.mjs

$(OUT)/zclab: $(LAB_ROOMS)
	$(call say,link)$(LINK) $^ $(LAB_LIBS) -o $@

$(LAB_UNITS:%.c=$(OUT)/%): $(OUT)/%: $(OUT)/%.o $(filter-out %/main.o,$(LAB_ROOMS))
	$(call say,link)$(LINK) $^ $(CHECK_LIBS) $(LAB_LIBS) -o $@

$(EXPAND): $(EXPAND_OBJECTS) $(ROOMS)
	$(call say,link)$(LINK) $^ $(LIBS) -o $@

$(EXPAND_UNITS:%.c=$(OUT)/%): $(OUT)/%: $(OUT)/%.o $(filter-out %/main.o,$(EXPAND_OBJECTS)) $(UNIT_ROOMS)
	$(call say,link)$(LINK) $^ $(CHECK_LIBS) $(LIBS) -o $@

$(EXPANDED): $(OUT)/%: conf/%.in $(EXPAND) $(PROGRAMS) $(OUT)/zclab
	@mkdir -p $(@D)
	$(call say,expand)$(EXPAND) $(OUT) $(VERSION) $(SOURCE_DATE_EPOCH) < $< > $@

# This one has a conn.o of its own, with another protocol.
$(OUT)/tests/unit/test_two_streams: $(OUT)/tests/unit/test_two_streams.o $(HELPERS:%.c=$(OUT)/%.o) \
                                    $(filter-out $(addprefix %/http/,conn.o deadline.o http1.o prelude.o),$(ROOMS))
	$(call say,link)$(LINK) $^ $(CHECK_LIBS) $(LIBS) -o $@

$(OUT)/tests/unit/test_%: $(OUT)/tests/unit/test_%.o $(UNIT_HELPERS) $(UNIT_ROOMS)
	$(call say,link)$(LINK) $(UNMARKED) $^ $(CHECK_LIBS) $(LIBS) -o $@

$(OUT)/bench/%: $(OUT)/bench/%.o $(ROOMS)
	$(call say,link)$(LINK) $^ $(LIBS) -o $@

# A fuzz target is a libFuzzer program in the fuzz flavour, and replays its corpus in the others.
$(OUT)/tests/fuzz/%.o: private ALSO = -Wno-missing-prototypes
TOOL_FUZZER := $(OUT)/tests/fuzz/fuzz_snapshot
$(TOOL_FUZZER): $(TOOL_FUZZER).o $(if $(filter fuzz,$(FLAVOUR)),,$(OUT)/tests/fuzz/replay.o) $(UNIT_TOOL_ROOMS)
	$(call say,link)$(LINK) $(if $(filter fuzz,$(FLAVOUR)),-fsanitize=fuzzer) $^ $(LIBS) $(TOOL_LIBS) -o $@
ifeq ($(FLAVOUR),fuzz)
$(OUT)/tests/fuzz/fuzz_%: $(OUT)/tests/fuzz/fuzz_%.o $(UNIT_ROOMS)
	$(call say,link)$(LINK) -fsanitize=fuzzer $^ $(LIBS) -o $@
else
$(OUT)/tests/fuzz/fuzz_%: $(OUT)/tests/fuzz/fuzz_%.o $(OUT)/tests/fuzz/replay.o $(UNIT_ROOMS)
	$(call say,link)$(LINK) $^ $(LIBS) -o $@
endif

# The injector is loaded before the server (LD_PRELOAD), and has no sanitizer of its own.
INJECTOR := $(OUT)/inject.so
$(INJECTOR): $(sort $(wildcard tests/inject/*.c)) tests/inject/board.h tests/inject/calls.def
	@mkdir -p $(@D)
	$(call say,link)$(CC) $(LANGUAGE) $(WARNINGS) -O1 -g -fPIC -fno-builtin -shared $(filter %.c,$^) -luring -ldl -o $@

-include $(OBJECTS:.o=.d) $(wildcard $(OUT)/tests/*/*.d $(OUT)/bench/*.d $(OUT)/bench/lab/*.d $(OUT)/bench/lab/experiments/*.d $(OUT)/conf/expand/*.d)
.SECONDARY:

.PHONY: unit-programs fuzz-programs objects
unit-programs: $(UNITS:%.c=$(OUT)/%)
	@:
fuzz-programs: $(FUZZERS:%.c=$(OUT)/%)
	@:
objects: $(OBJECTS)
	@:

# ---- running -----------------------------------------------------------------------------------

.PHONY: site run
site: www/files/10m.txt www/lab-mine/index.html ## make the generated files of www/
www/files/10m.txt: tests/locating | need
	@mkdir -p $(@D)
	tests/locating 10485760 > $@
# Where a reader's own results will be (zclab run … --out www/lab-mine). Those are never touched.
www/lab-mine/index.html: | www/learn/nothing-yet.html
	@mkdir -p $(@D)
	cp www/learn/nothing-yet.html $@

run: all site ## build, then serve www/ with conf/serve.conf
	$(OUT)/zcserve -c conf/serve.conf

# ---- tests -------------------------------------------------------------------------------------

# Unit tests and replay find more in a flavour that checks more; the server is tested as shipped.
TEST_FLAVOUR   ?= $(if $(filter release,$(FLAVOUR)),asan,$(FLAVOUR))
MAKE_FLAVOUR    = $(MAKE) --no-print-directory FLAVOUR=
RUN_TESTS       = BUILD=$(BUILD) FLAVOUR=$(TEST_FLAVOUR) \
                  ZCSERVE=$(call absolute,$(OUT)/zcserve) ZCLAB=$(call absolute,$(OUT)/zclab) tests/run

.PHONY: lab lab-test
lab: $(OUT)/zclab $(OUT)/zcserve ## build the I/O laboratory (build/release/zclab), and the server it measures
	@:
lab-test: need lab ## every experiment of the laboratory at its smallest size
	@$(RUN_TESTS) lab

# What does not come from Debian: axe-core, from the npm registry, where there is npm. Without it the lessons are
# tested all the same, and the last line says that this was skipped.
AXE_VERSION := 4.14.1
AXE := $(BUILD)/node/node_modules/axe-core/axe.min.js
.PHONY: axe lessons-test lessons-exercises
axe:
	@if test ! -e $(AXE) && command -v npm >/dev/null; then mkdir -p $(BUILD)/node && \
	    npm install --prefix $(BUILD)/node --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
	        --fetch-retries=0 --fetch-timeout=30000 axe-core@$(AXE_VERSION) || echo "axe-core could not be had; going on without it"; fi

.PHONY: packages-test
packages-test: need all lab site manuals ## manual pages, completion, make install, and what the packages have beside the programs
	+@$(RUN_TESTS) packages

# Parts of the lessons' tests: text, models, commands, pages. `make test` takes seconds for the first two.
LESSONS ?=
lessons-test: need all lab site axe ## the lessons: every command as it is written, links, code, simulations, pages (LESSONS="commands": only this)
	@LESSONS="$(LESSONS)" $(RUN_TESTS) lessons
lessons-exercises: need all lab site ## the lessons' exercises that change code: the check fails without, succeeds with the patch
	@BUILD=$(BUILD) ZCSERVE=$(call absolute,$(OUT)/zcserve) tests/lessons/run exercises

.PHONY: test unit replay layers integration families differential foreign clients page fresh
test: need all lab site manuals $(if $(filter pages,$(LESSONS)),axe) ## build and run every test; the last line counts what passed, failed and was skipped
	+@$(MAKE_FLAVOUR)$(TEST_FLAVOUR) unit-programs fuzz-programs objects
	+@LESSONS="$(or $(LESSONS),text models)" $(RUN_TESTS) unit replay layers bench-tool lab packages integration network cluster page lessons

unit: need ## the unit tests, with address and UB sanitizer (FLAVOUR=debug: without)
	+@$(MAKE_FLAVOUR)$(TEST_FLAVOUR) unit-programs
	@$(RUN_TESTS) unit

replay: need ## the fuzz targets over their saved inputs, likewise
	+@$(MAKE_FLAVOUR)$(TEST_FLAVOUR) fuzz-programs
	@$(RUN_TESTS) replay

layers: need ## the rooms know only whom they may know
	+@$(MAKE_FLAVOUR)$(TEST_FLAVOUR) objects
	@$(RUN_TESTS) layers

integration: need all ## the server through real sockets (FLAVOUR=asan: with the sanitizers)
	@$(RUN_TESTS) integration

families: need all ## every generated exchange under every model, two minutes; `make test` sends a sample of them
	@ZCSERVE=$(call absolute,$(OUT)/zcserve) FAMILIES=all tests/integration/run -k '^families: '

differential: need all ## the same exchanges with nginx, Apache httpd and lighttpd: each difference has its clause
	@$(RUN_TESTS) differential

foreign: need all ## other projects' tests: gunicorn's requests and lighttpd's tests, from Debian's sources
	@$(RUN_TESTS) foreign

clients: need all ## what others wrote uses it: curl, wget, aria2c, ab, wrk, h2load, siege; nginx, HAProxy, Caddy in front (BYTES=1g)
	@ZCSERVE=$(call absolute,$(OUT)/zcserve) tests/clients/run $(CLIENTS)

page: need all ## the live page, in a headless Chromium
	@$(RUN_TESTS) page

fresh: ## both commands on fresh Debians, as root and as a user (needs root, an hour): FRESH="-r 13 -u user"
	@.ci/deps --check fresh || .ci/deps fresh
	@BUILD=$(BUILD) tests/fresh/run $(FRESH)

.PHONY: chaos
chaos: need all ## kills, stops, reloads and upgrades under constant load: how many requests fail (CHAOS_SECONDS: a limit)
	@ZCSERVE=$(call absolute,$(OUT)/zcserve) tests/chaos/run

.PHONY: cluster network soak
cluster: need all ## HAProxy and three servers in network namespaces: killed, drained, slow, upgraded, added (needs root; CLUSTER="killed added")
	@ZCSERVE=$(call absolute,$(OUT)/zcserve) tests/cluster/run $(CLUSTER)
network: need all ## downloads over a link that loses, delays and reorders packets; zero windows, half-open floods (needs root; NETWORK=-q: less)
	@ZCSERVE=$(call absolute,$(OUT)/zcserve) tests/network/run $(NETWORK)
soak: need all ## memory and descriptors under load, changes and reloads, SOAK_SECONDS (180) and SOAK_REQUESTS a model; a plot below build/soak/
	@ZCSERVE=$(call absolute,$(OUT)/zcserve) SOAK_PLACE=$(BUILD)/soak tests/soak/run

.PHONY: debug asan tsan fuzz
debug: ## build the server for a debugger
	+@$(MAKE_FLAVOUR)debug $(BUILD)/debug/zcserve $(BUILD)/debug/zcserve-tool
asan: ## build with address and UB sanitizer, and run unit tests, replay and integration so
	+@$(MAKE_FLAVOUR)asan unit-programs fuzz-programs $(BUILD)/asan/zcserve $(BUILD)/asan/zcserve-tool
	@BUILD=$(BUILD) FLAVOUR=asan ZCSERVE=$(call absolute,$(BUILD)/asan/zcserve) tests/run unit replay integration
tsan: ## build with the thread sanitizer, and run unit tests and integration so
	+@$(MAKE_FLAVOUR)tsan unit-programs $(BUILD)/tsan/zcserve $(BUILD)/tsan/zcserve-tool
	@BUILD=$(BUILD) FLAVOUR=tsan ZCSERVE=$(call absolute,$(BUILD)/tsan/zcserve) tests/run unit integration
.PHONY: coverage
coverage: need ## how much of each room the unit tests and the fuzz targets' saved inputs run through
	+@$(MAKE_FLAVOUR)coverage unit-programs fuzz-programs
	@find $(BUILD)/coverage -name '*.gcda' -delete
	@BUILD=$(BUILD) FLAVOUR=coverage tests/run unit replay
	@tests/coverage $(BUILD)/coverage
fuzz: ## fuzz each target for FUZZ_SECONDS, starting from tests/fuzz/corpus/
	+@$(MAKE_FLAVOUR)fuzz fuzz-programs
	@BUILD=$(BUILD) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run fuzz
.PHONY: stress
stress: need ## check every byte under load while files change, STRESS_SECONDS a model (SEED=N replays)
	+@$(MAKE_FLAVOUR)asan $(BUILD)/asan/zcserve $(BUILD)/asan/zcserve-tool
	@ZCSERVE=$(abspath $(BUILD)/asan/zcserve) STRESS_SECONDS=$(STRESS_SECONDS) tests/stress/run

.PHONY: inject
inject: need $(OUT)/zcserve $(INJECTOR) ## each system call and allocation fails once, each errno (INJECT_SAMPLE=1: some; INJECT_SEED=N: others)
	@ZCSERVE=$(call absolute,$(OUT)/zcserve) INJECTOR=$(call absolute,$(INJECTOR)) \
	    tests/inject/run $(if $(INJECT_SAMPLE),--sample) $(INJECT)

.PHONY: tidy format format-check bench bench-quick bench-deps bench-scale
# A process a file: one that sees several takes the va_list of all but the first for unset.
tidy: need ## look at the sources with clang-tidy
	printf '%s\n' $(SOURCES) | xargs -P $$(nproc) -I FILE $(CLANG_TIDY) --quiet --warnings-as-errors='*' \
	    FILE -- $(LANGUAGE) -DZCSERVE_VERSION='""' -DZCSERVE_BUILD='""'
format: need ## lay the sources out as .clang-format says
	$(CLANG_FORMAT) -i $(FORMATTED)
format-check: need ## fail when a source is not laid out so
	$(CLANG_FORMAT) --dry-run -Werror $(FORMATTED)
BENCH = BUILD=$(BUILD) ZCSERVE=$(call absolute,$(OUT)/zcserve) bench/run
bench: all $(BENCHES:%.c=$(OUT)/%) ## compare with five servers and with floors; a page below bench/results/
	$(BENCH)
bench-quick: all $(BENCHES:%.c=$(OUT)/%) ## the same in three minutes: fewer works, fewer servers
	$(BENCH) --quick
bench-deps: ## install the servers to compare with, the load generators and gnuplot
	@.ci/deps bench
bench-scale: all site $(BENCHES:%.c=$(OUT)/%) ## 18,000 and 100,000 idle connections beside hot requests
	BUILD=$(BUILD) ZCSERVE=$(call absolute,$(OUT)/zcserve) IDLE=$(call absolute,$(OUT)/bench/idle) bench/scale

# ---- installing --------------------------------------------------------------------------------

MANDIR     ?= $(PREFIX)/share/man
COMPLETION ?= $(PREFIX)/share/bash-completion/completions
# What an operator changes. The other files of conf/ are for monitoring, and go to SHAREDIR.
CONFIGURATION := conf/serve.conf conf/mime.types
SHARED := $(filter-out $(CONFIGURATION),$(sort $(wildcard conf/*.*)))
CLUSTERED := $(sort $(wildcard conf/cluster/*))

.PHONY: manuals install install-programs install-configuration install-shared install-manuals uninstall clean deps help
manuals: $(EXPANDED) ## the manual pages and the shell's completion, made from the tables and from -h
	@:
install: install-programs install-configuration install-shared install-manuals ## install below PREFIX (/usr/local); DESTDIR is honoured
install-programs: all lab
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(PROGRAMS) $(OUT)/zclab $(DESTDIR)$(PREFIX)/bin/
install-configuration:
	install -d $(DESTDIR)$(SYSCONFDIR)
	for file in $(CONFIGURATION); do to=$(DESTDIR)$(SYSCONFDIR)/$${file##*/}; \
	    if test -e "$$to"; then echo "kept $$to"; \
	    else sed 's|\.\./www|$(SHAREDIR)/www|' "$$file" > "$$to" && chmod 644 "$$to"; fi; done
install-shared: site
	install -d $(DESTDIR)$(SHAREDIR)/www
	install -m 644 $(SHARED) $(DESTDIR)$(SHAREDIR)/
	install -d $(DESTDIR)$(SHAREDIR)/cluster
	install -m 644 $(filter-out %/rolling,$(CLUSTERED)) $(DESTDIR)$(SHAREDIR)/cluster/
	install -m 755 $(filter %/rolling,$(CLUSTERED)) $(DESTDIR)$(SHAREDIR)/cluster/
	cp -R www/. $(DESTDIR)$(SHAREDIR)/www/
	rm -rf $(DESTDIR)$(SHAREDIR)/www/lab-mine
	install -D -m 644 www/learn/nothing-yet.html $(DESTDIR)$(SHAREDIR)/www/lab-mine/index.html
	chmod -R u=rwX,go=rX $(DESTDIR)$(SHAREDIR)/www
install-manuals: $(EXPANDED)
	for page in $(filter $(OUT)/man/%,$(EXPANDED)); do \
	    install -D -m 644 "$$page" "$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}" || exit; done
	ln -sf zcserve.8 $(DESTDIR)$(MANDIR)/man8/zcserve-tool.8
	install -D -m 644 $(OUT)/completion/zcserve.bash $(DESTDIR)$(COMPLETION)/zcserve
	ln -sf zcserve $(DESTDIR)$(COMPLETION)/zclab
.PHONY: deb deb-test reproducible
deb: ## packages of HEAD for the Debian that this is, below build/deb/
	@.ci/deps --check build lab packages || .ci/deps build lab packages
	+conf/debian/build $(BUILD)/deb $(VERSION) $(SOURCE_DATE_EPOCH)
deb-test: ## the packages in fresh Debians, with and without systemd: install, start, reload, upgrade, purge (needs root): DEB="-r 13"
	@.ci/deps --check fresh || .ci/deps fresh
	@BUILD=$(BUILD) tests/packages/fresh $(DEB)
reproducible: ## builds the packages twice, in two directories, and compares their bytes
	@.ci/deps --check build lab packages || .ci/deps build lab packages
	+tests/packages/reproducible $(BUILD)/reproducible
uninstall: ## take away what install put there, but not the configuration
	rm -f $(DESTDIR)$(PREFIX)/bin/zcserve $(DESTDIR)$(PREFIX)/bin/zcserve-tool $(DESTDIR)$(PREFIX)/bin/zclab
	rm -f $(foreach page,$(notdir $(filter $(OUT)/man/%,$(EXPANDED))),$(DESTDIR)$(MANDIR)/man$(lastword $(subst ., ,$(page)))/$(page))
	rm -f $(DESTDIR)$(MANDIR)/man8/zcserve-tool.8 $(DESTDIR)$(COMPLETION)/zcserve $(DESTDIR)$(COMPLETION)/zclab
	rm -rf $(DESTDIR)$(SHAREDIR)
clean: ## take away all that was built
	rm -rf $(BUILD) www/files/10m.txt
deps: ## install what building, testing and measuring need (apt, Debian 12 and 13)
	@.ci/deps
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22
