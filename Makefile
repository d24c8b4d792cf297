# Synfire. `make` builds bin/synfire, `make deps` first on a machine that has nothing but Go.

SHELL := /bin/bash
GO ?= go
export GOEXPERIMENT ?= simd
# The gl backend needs a C compiler and pkg-config to build, libEGL only when it is asked for; EGL's header has a stand-in.
# Without them everything else builds.
ifneq ($(shell pkg-config --exists egl 2>/dev/null && echo there),there)
export PKG_CONFIG_PATH := $(CURDIR)/shaders/egl:$(PKG_CONFIG_PATH)
endif
TAGS := $(shell command -v $${CC:-gcc} >/dev/null && PKG_CONFIG_PATH="$(PKG_CONFIG_PATH)" pkg-config --exists egl 2>/dev/null && echo egl)
TAGFLAG := $(if $(TAGS),-tags $(TAGS))
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)
STATICCHECK := $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
# Packages with threads, for the race detector (which needs cgo).
THREADED := ./engine ./engine/connect ./engine/vm ./engine/store ./kernels/...
# What the architectures' equality is checked with, under qemu.
PORTABLE := ./engine/num ./engine/philox ./engine/ir ./engine/vm ./engine/eqn ./engine/connect ./engine/backend/... ./engine ./engine/script/... ./engine/models ./examples ./kernels/...

# Tests of memory, time and the host, which bits have no part in and qemu makes slow.
HOSTLY := Interrupt|Memory|DeepKeys|Nesting|ManyGroups|ManyEquations|FilesThatAre|FullDevice|SharedValues|ListsThatHold|WholeNumbersEnd|AreTold|DoNotFit|OtherModule|Imports|SmallProbabilities|RandomCalls|HostWork|Convolve

.PHONY: all deps test lint race test-nosimd cross arm64-test gl-matrix gl-matrix-short peers long clean

all: bin/synfire

# The README's first command: install what is missing, build, and run the main job. (make deps changes what
# the build finds, hence the second make.)
.PHONY: start
start:
	$(MAKE) deps
	$(MAKE) bin/synfire
	bin/synfire run examples/potjans_diesmann.star

.PHONY: bin/synfire
bin/synfire:
	$(GO) build $(TAGFLAG) -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/synfire

deps:
	@./.ci/deps

# The command for clusters (docs/cluster.md), bin/synfire-mpi: with the MPI library whose compiler MPICC is.
MPICC ?= mpicc
.PHONY: mpi
mpi:
	@command -v $(MPICC) >/dev/null || [ "$(MPICC)" != mpicc ] || ./.ci/deps openmpi-bin libopenmpi-dev
	@command -v $(MPICC) >/dev/null || { echo "make mpi: there is no $(MPICC), the compiler of an MPI library. Install OpenMPI or MPICH with its headers" \
		"(on a cluster: module load openmpi, or the like), or name the compiler: make mpi MPICC=/path/to/mpicc"; exit 1; }
	CC=$(MPICC) $(GO) build -tags mpi -trimpath -ldflags '$(LDFLAGS)' -o bin/synfire-mpi ./cmd/synfire

# Runs on ranks: every example at test size on 3 of them, three on 2 of 2 threads; random networks on 1 to 4 of 1 and 2 threads; what a
# user does (.ci/ranks). mpi-long tries all examples and the whole suite on 1, 2, 3 and 4 ranks of 1 and 2 threads (SEED=2 draws
# other random networks), and then, on a quiet machine, Potjans and Diesmann's network (SCALE=1) on 2 ranks beside 2 threads.
# With MPICH: make mpi-test MPICC=mpicc.mpich MPIRUN=mpirun.mpich
export MPIRUN ?= mpirun
SCALE ?= 1
RANKS_OF := cd examples && ../.ci/mpirun -np
SUITE_OF := cd kernels && ../.ci/mpirun -np
ON_RANKS := TestSuiteOnRanks/.*
.PHONY: mpi-test mpi-long mpi-compare mpi-examples
mpi-examples: mpi bin/synfire
	CC=$(MPICC) $(GO) vet -tags mpi ./kernels ./kernels/mpi/... ./cmd/synfire ./examples
	CC=$(MPICC) $(GO) test -tags mpi -trimpath -c -o bin/examples-mpi.test ./examples
	CC=$(MPICC) $(GO) test -tags mpi -trimpath -c -o bin/suite-mpi.test ./kernels

mpi-test: mpi-examples
	$(RANKS_OF) 3 ../bin/examples-mpi.test -test.run 'TestGoldenRanks/.*_of_1_'
	$(RANKS_OF) 2 ../bin/examples-mpi.test -test.run 'TestGoldenRanks/(cuba|potjans_diesmann|stdp)_on_.*_of_2_'
	for n in 1 2 3 4; do ($(SUITE_OF) $$n ../bin/suite-mpi.test -test.run '$(ON_RANKS)/(Random_networks|Full_records|Faults)$$' -rapid.seed=1 -rapid.checks=8) || exit 1; done
	.ci/ranks

mpi-long: mpi-examples
	for n in 1 2 3 4; do ($(RANKS_OF) $$n ../bin/examples-mpi.test -test.timeout 60m -test.run TestGoldenRanks) || exit 1; done
	for n in 1 2 3 4; do ($(SUITE_OF) $$n ../bin/suite-mpi.test -test.timeout 60m -test.run '$(ON_RANKS)' -rapid.seed=$(or $(SEED),1) -rapid.checks=300) || exit 1; done
	SYNFIRE_LONG=1 $(GO) test -timeout 60m ./kernels -run TestRanks
	.ci/ranks
	.ci/ranks-long --scale $(SCALE)

# The last part of it alone; NEST=PYTHON names a Python that has NEST.
mpi-compare: mpi
	.ci/ranks-long --scale $(SCALE) $(if $(NEST),--nest $(NEST))

# The figures of `synfire info --ranks` on this machine, and what it foresees beside runs.
.PHONY: mpi-model
mpi-model: mpi bin/synfire
	.ci/ranks-model

# The build tags that this machine allows.
.PHONY: tags
tags:
	@echo $(TAGS)

test:
	$(GO) test -timeout 20m $(TAGFLAG) ./...

# Everything again as a plain `go build` makes it: every hash must be the same.
test-nosimd:
	GOEXPERIMENT= $(GO) test -timeout 20m $(TAGFLAG) -short ./...

lint:
	@bad=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$bad" ]; then echo "gofmt: these files are not formatted:"; echo "$$bad"; exit 1; fi
	$(GO) vet $(TAGFLAG) ./...
	GOEXPERIMENT= $(GO) vet $(TAGFLAG) ./...
	$(STATICCHECK) $(TAGFLAG) ./...

race:
	$(GO) test $(TAGFLAG) -race -short -timeout 30m $(THREADED)
	$(if $(TAGFLAG),$(GO) test $(TAGFLAG) -race -short -run TestBeside ./shaders)

# The cpu backend on every system that Go reaches without a C compiler.
cross:
	for t in linux/arm64 darwin/arm64 windows/amd64; do \
		echo "$$t"; CGO_ENABLED=0 GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build -o /dev/null ./cmd/synfire || exit 1; done

# The same hashes on arm64, run by qemu-user (Debian, Ubuntu: apt-get install qemu-user).
arm64-test:
	@command -v qemu-aarch64 >/dev/null || command -v qemu-aarch64-static >/dev/null || { echo "qemu-aarch64 is missing: apt-get install qemu-user"; exit 1; }
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) test -short -timeout 40m -skip "$(HOSTLY)" -exec $$(command -v qemu-aarch64 || command -v qemu-aarch64-static) $(PORTABLE)

# The live viewer, a binary of its own: it links X11.
.PHONY: view
view:
	@./.ci/deps xorg-dev libgl1-mesa-dev
	$(GO) build -tags "viewer $(TAGS)" -trimpath -o bin/synfire-view ./cmd/synfire-view

# Small mistakes, made in a copy of the source, that the checks must find; prints what found them.
.PHONY: mutate
mutate:
	@./.ci/mutate

# What runs must survive: kills, signals, full disks, closed pipes, a second run, damaged caches. torture-short is what
# .ci/run adds, two minutes at most.
.PHONY: torture torture-short
torture: bin/synfire
	.ci/torture bin/synfire

torture-short: bin/synfire
	.ci/torture bin/synfire --short

# The conformance suite on every OpenGL implementation that this machine can start; prints a table. gl-matrix-short is
# what .ci/run adds to the suite on llvmpipe: its core on an interpreter and through SPIR-V.
gl-matrix:
	@./.ci/deps mesa-vulkan-drivers
	$(GO) run $(TAGFLAG) ./shaders/matrix

# The short suite on the first OpenGL device with other sizes of work groups, shards, passes and submissions, with each fallback and as a trial.
.PHONY: gl-variants
gl-variants:
	$(GO) test $(TAGFLAG) -timeout 120m -short -v ./shaders -run TestVariants -variants all

# Half of them.
.PHONY: gl-variants-short
gl-variants-short:
	$(GO) test $(TAGFLAG) -timeout 40m -short ./shaders -run TestVariants -variants half

# The golden hashes with many passes in a dispatch, by one work group and by two, with a rendezvous that fails at once and later, and with each
# delivery apart. Work groups are large so that a renderer in software, whose loops end after 65,535 rounds, has enough of them for a pass; two tables
# have shared memory for 512 lanes.
.PHONY: gl-goldens
gl-goldens:
	for v in persistent=1,resident=1,group=1024 persistent=1,resident=1,group=512 persistent=1,resident=2,group=1024 persistent=fail,resident=1,group=1024 persistent=fail7,resident=1,group=1024 apart=1; do \
		echo "$$v"; SYNFIRE_GL=$$v $(GO) test $(TAGFLAG) -timeout 40m -v ./examples -run TestGoldenGL || exit 1; done

# The gl backend measured on this machine, on a GPU if there is one: bench/results/DATE/gpu-NAME, in five minutes. gpu-kit is
# what it runs, for a machine without Go: copy bin/gpu there and run ./gpu-report -out DIR.
.PHONY: gpu-report gpu-kit
gpu-report: gpu-kit
	bin/gpu/gpu-report

gpu-kit: bin/synfire
	@mkdir -p bin/gpu/examples bin/gpu/shaders
	cp bin/synfire bin/gpu/
	$(GO) build -trimpath -o bin/gpu/gpu-report ./bench/gpu
	$(GO) test $(TAGFLAG) -trimpath -ldflags '-s -w' -c -o bin/gpu/shaders.test ./shaders
	$(GO) test $(TAGFLAG) -trimpath -ldflags '-s -w' -c -o bin/gpu/examples.test ./examples
	cp -r examples/*.star examples/*.csv examples/testdata bin/gpu/examples/
	@mkdir -p bin/gpu/examples/isomura2023
	cp examples/isomura2023/*.star bin/gpu/examples/isomura2023/
	cp -r shaders/testdata bin/gpu/shaders/
	$${CC:-gcc} -O2 -o bin/gpu/glmicro bench/gpu/micro/glmicro.c -lEGL || echo "gpu-kit: without the micro-benchmark: it needs the headers of EGL and OpenGL (libegl-dev, libgl-dev)"

gl-matrix-short:
	@./.ci/deps mesa-vulkan-drivers
	$(GO) run $(TAGFLAG) ./shaders/matrix -short -only softpipe
	$(GO) run $(TAGFLAG) ./shaders/matrix -short -only zink

# A virtual environment of Python 3.12 for what Synfire is held against (PYTHON=... names one; a pyenv whose chosen Python is another has one to offer).
PIP := .venv/bin/pip install -q --disable-pip-version-check -c bench/peers/requirements.txt
.PHONY: venv brian2 compare
venv:
	@for p in $(PYTHON) python3.12 "$$(pyenv prefix 3.12 2>/dev/null)/bin/python" python3; do \
		if "$$p" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null; then python=$$p; break; fi; done; \
	if [ -z "$$python" ]; then echo "there is no Python 3.12 here; PYTHON=... names one"; exit 1; fi; \
	"$$python" -m venv .venv

# The simulators that `synfire bench --peers` measures. What cannot be installed is told, the rest is installed.
peers: venv
	@while read -r r; do \
		case "$$r" in ""|"#"*) continue;; esac; \
		$(PIP) "$$r" || missing="$$missing $$r"; \
	done < bench/peers/requirements.txt; \
	if [ -n "$$missing" ]; then echo "make peers: not installed:$$missing; rows of such a peer will say that it is missing"; exit 1; fi

# Spikes against NEST's and Brian2's (synfire bench --truth), half an hour on a quiet machine: spike trains where nothing is drawn, else rates, CVs and
# correlations beside the peer's own seeds. WORKLOADS="cuba lif" names some. $SYNFIRE_PEERS names an environment that has the peers, else `make peers` makes one.
.PHONY: truth
truth: bin/synfire
	bin/synfire bench --truth $(WORKLOADS)

brian2: venv
	@$(PIP) brian2 numpy

# Random networks on Brian2 and on Synfire, compared value by value (bench/compare/README.md). A network that differs is printed, small, and kept.
NETWORKS ?= 400
SEED ?= 1
MINUTES ?= 40
compare: brian2 bin/synfire
	.venv/bin/python bench/compare/compare.py bin/synfire --networks $(NETWORKS) --seed $(SEED) --minutes $(MINUTES) --keep bin/compare

# Brian2's own tests on the device 'synfire' (python/tests/suite.py): on the engine without fallback, against expected.txt; a short part of it, as in
# .ci/run; and by Brian2's own call, with fallback.
ON_DEVICE := SYNFIRE=$(CURDIR)/bin/synfire PYTHONPATH=$(CURDIR)/python/src .venv/bin/python
.PHONY: brian2-tests brian2-suite brian2-suite-short brian2-suite-fallback brian2-examples
brian2-tests: venv bin/synfire
	@.venv/bin/pip install -q --disable-pip-version-check -r python/tests/requirements.txt

# Wheels of the Python package in python/dist, for systems without Go: the cpu everywhere, OpenGL beside it where this machine can build it (linux/amd64 as a rule).
# Tags of Linux: the program is static, so that any C library will do; the one with OpenGL starts where there is one as new as here, and only when it is asked for.
WHEELS := linux-amd64:manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64 linux-arm64:manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64 \
	darwin-arm64:macosx_12_0_arm64 darwin-amd64:macosx_12_0_x86_64 windows-amd64:win_amd64
.PHONY: wheel wheel-test
wheel: venv
	@for w in $(WHEELS); do \
		system=$${w%%:*}; tag=$${w#*:}; os=$${system%-*}; arch=$${system#*-}; to=bin/wheel/$$system; exe=synfire; mkdir -p $$to; \
		if [ $$os = windows ]; then exe=synfire.exe; fi; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch $(GO) build -trimpath -ldflags '-s -w $(LDFLAGS)' -o $$to/$$exe ./cmd/synfire || exit 1; \
		programs=$$to/$$exe; \
		if [ -n "$(TAGS)" ] && [ $$os-$$arch = "$$($(GO) env GOHOSTOS)-$$($(GO) env GOHOSTARCH)" ]; then \
			$(GO) build $(TAGFLAG) -trimpath -ldflags '-s -w $(LDFLAGS)' -o $$to/synfire-gl ./cmd/synfire || exit 1; programs=$$programs:$$to/synfire-gl; fi; \
		(export SYNFIRE_TAG=$$tag SYNFIRE_BINARY=$$(for p in $${programs//:/ }; do printf '%s:' $(CURDIR)/$$p; done | sed 's/:$$//'); \
			.venv/bin/pip wheel -q --disable-pip-version-check --no-deps -w python/dist ./python) || exit 1; \
	done; ls -l python/dist

# The wheel of this machine's kind in an empty environment, without Go and without a compiler: it runs a network.
wheel-test: wheel
	rm -rf bin/wheel/venv && .venv/bin/python -m venv bin/wheel/venv
	bin/wheel/venv/bin/pip install -q --disable-pip-version-check -c bench/peers/requirements.txt --find-links python/dist --no-index --no-deps brian2synfire
	bin/wheel/venv/bin/pip install -q --disable-pip-version-check -r python/tests/requirements.txt
	cd bin/wheel && env -i PATH=/usr/bin:/bin HOME=$$HOME venv/bin/python ../../python/tests/wheel.py

# The device's own tests.
.PHONY: python-test
python-test: brian2-tests
	$(ON_DEVICE) -m pytest -q -W ignore -c python/pyproject.toml python/tests

brian2-suite: brian2-tests
	$(ON_DEVICE) python/tests/suite.py

brian2-suite-short: brian2-tests
	$(ON_DEVICE) python/tests/suite.py --short

brian2-suite-fallback: brian2-tests
	$(ON_DEVICE) python/tests/suite.py --fallback

# The scripts of Brian2's example folder on the device, against what Brian2 gives (python/tests/examples.py), in an environment of their own. They come
# with Brian2's source distribution. SCRIPTS= names some.
BRIAN2 := brian2-2.10.1
bin/$(BRIAN2)/examples: | venv
	.venv/bin/python -m venv bin/examples
	bin/examples/bin/pip install -q --disable-pip-version-check -r python/tests/requirements-examples.txt
	bin/examples/bin/pip download -q --disable-pip-version-check --no-deps --no-binary brian2 -d bin $(subst -,==,$(BRIAN2))
	tar -xzf bin/$(BRIAN2).tar.gz -C bin $(BRIAN2)/examples

brian2-examples: bin/synfire bin/$(BRIAN2)/examples
	SYNFIRE=$(CURDIR)/bin/synfire PYTHONPATH=$(CURDIR)/python/src bin/examples/bin/python python/tests/examples.py gate bin/$(BRIAN2)/examples $(SCRIPTS)

# PyNN's own tests with its brian2 backend on the device, against python/tests/pynn.txt, in an environment of their own. They come with PyNN's source distribution.
PYNN := pynn-0.13.0
.PHONY: pynn
bin/$(PYNN)/test: | venv
	.venv/bin/python -m venv bin/pynn
	bin/pynn/bin/pip install -q --disable-pip-version-check -r python/tests/requirements-pynn.txt
	bin/pynn/bin/pip download -q --disable-pip-version-check --no-deps --no-binary pynn -d bin $(subst -,==,$(PYNN))
	tar -xzf bin/$(PYNN).tar.gz -C bin $(PYNN)

pynn: bin/synfire bin/$(PYNN)/test
	SYNFIRE=$(CURDIR)/bin/synfire PYTHONPATH=$(CURDIR)/python/src bin/pynn/bin/python python/tests/pynn.py bin/$(PYNN)

# load_nir() and python/src/synfire/nir.py beside the package nir: round trips of files, and the spikes of a graph against NumPy.
.PHONY: nir
nir: venv bin/synfire
	@$(PIP) nir==1.0.8
	PYTHONPATH=python/src .venv/bin/python python/tests/nir_check.py

# train() beside snnTorch (bench/snntorch/README.md): spikes, gradients, loss. PyTorch takes a gigabyte, hence an environment of its own.
.PHONY: snntorch
snntorch: venv bin/synfire
	.venv/bin/python -m venv bin/snntorch
	bin/snntorch/bin/pip install -q --disable-pip-version-check -r bench/snntorch/requirements.txt
	SYNFIRE=$(CURDIR)/bin/synfire bin/snntorch/bin/python bench/snntorch/compare.py --write

# The values that package analysis is held against, anew, of Elephant, SciPy, networkx and the Brain Connectivity Toolbox.
.PHONY: analysis-reference
analysis-reference: venv
	@$(PIP) elephant==1.2.1 scipy==1.18.1 networkx==3.7 bctpy==0.6.1
	.venv/bin/python engine/analysis/testdata/reference.py

# docs/gallery.md and its pictures: every example is run whose text has changed, or those of ONLY="cuba hopfield".
.PHONY: gallery
gallery: bin/synfire
	$(GO) run ./examples/gallery $(ONLY)

# docs/reference.md, of the names, arguments and defaults that the code has and of engine/script/testdata/reference.
.PHONY: reference
reference:
	$(GO) test ./engine/script -run 'TestReference$$' -update

# README.md, docs/ and all texts that they link to, as pages with a search: bin/site/html/index.html. A link that leads nowhere is an error.
.PHONY: site
site: venv
	@.venv/bin/pip install -q --disable-pip-version-check -r docs/requirements.txt
	rm -rf bin/site && mkdir -p bin/site/text
	git ls-files '*.md' '*.svg' '*.png' docs examples bench/results | grep -v _test.go | tar -cT - | tar -xC bin/site/text
	.venv/bin/mkdocs build --strict -f docs/mkdocs.yml

# The figure of Isomura et al. 2023: cultures under all conditions, what they learn and what was predicted; and the canonical network.
.PHONY: isomura
isomura: bin/synfire
	bin/synfire run examples/isomura2023/canonical.star
	bin/synfire run examples/isomura2023/culture.star --set conditions=all --set cultures=10 --plots bin

# Tests that take minutes: full-scale networks, published figures, long sweeps.
long:
	SYNFIRE_LONG=1 $(GO) test $(TAGFLAG) -timeout 120m ./...

clean:
	rm -rf bin
