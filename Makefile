.PHONY: start quick test page package demos setup bench gpu-kit soak official fuzz

# Installs what is missing, builds the page and serves it on this machine.
start: page
	@node scripts/serve.mjs

# Installs what is missing, builds everything and runs every test.
test:
	@scripts/setup.sh test
	@scripts/test.sh

# Looks at what most changes break, in less than two minutes after `make test` or `make page` was there once: format,
# lints, types, unit tests, goldens, the rooms, two samples on the page.
quick:
	@scripts/quick.sh

# Fuzzes a parser for some seconds: TARGET=image SECONDS=600, by default each of them for a minute.
fuzz:
	@scripts/fuzz.sh $(or $(TARGET),all) $(or $(SECONDS),60)

# Builds the npm package into target/npm/.
package: page
	@node scripts/package.mjs

# Serves pages of other sites with the check in them.
demos: package
	@node scripts/demos.mjs

# Builds the page into dist/, ready to be put on any static host.
page: setup
	@scripts/build-page.sh

# Checks 500 images on each device and prints what happens to the memory. After `make test`, which builds what it needs.
soak:
	@node tests/bench/soak.mjs

# Measures the engine beside onnxruntime-web and prints a table.
bench:
	@scripts/setup.sh test
	@scripts/build-page.sh
	@SCALE=$(or $(SCALE),1) node tests/bench/bench.mjs

# Gathers what measures a GPU on another x86-64 Linux machine, without a browser or a network, into target/gpu-kit/.
gpu-kit:
	@scripts/setup.sh test
	@scripts/build-page.sh
	@cargo build --locked --release --workspace
	@node scripts/gpu-kit.mjs

# Downloads, packs and checks official files: IDS="taesd flux2", by default all of the catalogue.
official:
	@cargo build --locked --release
	@node scripts/official.mjs $(IDS)

setup:
	@scripts/setup.sh
