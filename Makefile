.PHONY: start test page setup

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

setup:
	@scripts/setup.sh
