# Everything here can be run at any time and again; each target installs what it needs first (tools/setup).
#
#   make up          build, start berth with the demo, wait until it answers over TLS, print the URLs
#   make down        stop what `make up` started
#   make uninstall   down, and remove what `make up` and the setup made
#   make build       build/release/berth and the demo's program
#   make deb         build/berth_VERSION_ARCH.deb
#   make image       the image berth:VERSION on the engine that DOCKER_HOST names
#   make test        every test, against an engine of their own
#   make check       format, rooms, headers, clang-tidy, documentation
#   make bench       the benchmarks, and berth beside other Compose programs and proxies (tools/bench; about 16 minutes)
#   make fuzz        the fuzz targets until each is settled (tools/fuzz), or each for FOR seconds
#   make simulate    100,000 histories of planner and executor from seeds (SEEDS=FIRST-LAST for others)
#   make soak        kill -9 at 200 moments of up, recreation, scale and down, and of the API's writes (POINTS=N, SEED=N)
#   make tsan        io, http, the executor and the loops of an edge under ThreadSanitizer
#   make clean       build/, but not its caches and the tests' engine; all of it with ALL=1
#
# up:   LISTEN=ADDRESS[,ADDRESS] (loopback)   WEB=PORT WEBSECURE=PORT (80 and 443, else the next free pair)
# up, down, uninstall:   DATA=FOLDER (/var/lib/berth)

export LISTEN WEB WEBSECURE DATA

build:
	@tools/build release

up: build
	@tools/up

down:
	@tools/down

uninstall:
	@tools/uninstall

deb: build
	@tools/setup package
	@tools/deb

image: build
	@tools/setup package engine
	@tools/image

test: build
	@tools/setup test
	@tools/build test fuzz simulate tsan
	@tools/test

check: build
	@tools/check

bench: build
	@tools/setup test bench
	@tools/build bench
	@tools/bench

fuzz:
	@tools/build fuzz
	@tools/fuzz $(FOR)

simulate:
	@tools/build simulate
	@tools/simulate $(or $(SEEDS),1-100000)

soak: build
	@tools/setup test
	@POINTS=$(or $(POINTS),200) tools/test kill_test store_test platform_kill_test

tsan:
	@tools/build tsan
	@tools/test io_tsan http_tsan plan_tsan edge_tsan

clean:
	@tools/clean $(ALL)

.PHONY: build deb image up down uninstall test check bench fuzz simulate soak tsan clean
