# Two commands do everything: `make demo` and `make test`.

GO       ?= go
TOOL     := $(GO) tool -modfile=tools/go.mod
# Browser tests and the foreign client run only where these are installed, which
# `make test` does.
NODE_DIRS := test/browser test/foreign

.PHONY: demo build test test-go lint bench fuzz clean deps

demo: build ## build, and show everything in one process on http://127.0.0.1:8080
	./bin/tillmend demo

build: bin/tillmend

bin/tillmend: FORCE
	CGO_ENABLED=0 $(GO) build -trimpath -o $@ ./cmd/tillmend

FORCE:

deps: ## install what tests need: a browser and two npm folders
	tools/deps $(NODE_DIRS)

test: deps ## all tests, with the race detector; the one about speed without it
	$(GO) test -count=1 -run TestNotMuchSlowerThanBareProxy ./internal/gateway
	TILLMEND_BROWSER=1 TILLMEND_FOREIGN=1 $(TOOL) gotestsum --format pkgname-and-test-fails -- -race -timeout 20m ./...

test-go: ## the Go tests alone, without browser and foreign client
	$(TOOL) gotestsum --format pkgname-and-test-fails -- -timeout 10m ./...

lint: ## the rules of .golangci.yml, unused code, formatting
	$(TOOL) golangci-lint run ./...
	@dead="$$($(TOOL) deadcode -test ./...)"; if [ -n "$$dead" ]; then echo "$$dead"; exit 1; fi

bench: ## benchmarks: ratios against baselines in one run; see docs/benchmarks.md
	$(GO) test -run '^$$' -bench . -benchmem ./iso8583/... ./internal/...
	cd bench && $(GO) test -run Ratio -v -count=1 . && $(GO) test -run '^$$' -bench . -benchmem .

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME
	tools/fuzz $(FUZZTIME)

vuln: ## known vulnerabilities; needs the vulnerability database
	$(GO) run golang.org/x/vuln/cmd/govulncheck@latest ./...

clean:
	rm -rf bin
