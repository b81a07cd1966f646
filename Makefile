.PHONY: start test page setup bench

# Installs what is missing, builds the page and serves it on this machine.
start: page
	@node scripts/serve.mjs

# Installs what is missing, builds everything and runs every test.
test:
	@scripts/setup.sh test
	@scripts/build-page.sh
	@scripts/test.sh

# Builds the page into dist/, ready to be put on any static host.
page: setup
	@scripts/build-page.sh

# Measures the engine beside onnxruntime-web and prints a table.
bench:
	@scripts/setup.sh test
	@scripts/build-page.sh
	@npm ci --silent --no-audit --no-fund --prefix tests/bench
	@SCALE=$(or $(SCALE),1) node tests/bench/bench.mjs

setup:
	@scripts/setup.sh
