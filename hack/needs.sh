#!/bin/sh
# Says what `make test` needs, fetches and takes; fails at once where a tool is missing.
set -eu
cd "$(dirname -- "$0")/.."

missing=0
need() { # need <tool> <what for> <how to get it> <version command…>
  tool=$1 purpose=$2 remedy=$3
  shift 3
  if version=$("$@" 2>/dev/null | head -n 1) && [ -n "$version" ]; then
    printf '  %-8s %-34s found: %s\n' "$tool" "$purpose" "$version"
  else
    printf '  %-8s %-34s MISSING: %s\n' "$tool" "$purpose" "$remedy"
    missing=1
  fi
}

echo "make test needs"
need node "runs npm; any version on Linux" "install Node.js from https://nodejs.org" node --version
need npm "installs the locked packages" "comes with Node.js" npm --version
need openssl "development certificates" "install the package openssl" openssl version

echo "It fetches"
if node hack/ensure-deps.mjs 2>/dev/null; then
  echo "  nothing: the npm packages of package-lock.json are installed"
else
  echo "  the npm packages of package-lock.json, Node.js 24 among them: about 150 MB, 450 MB unpacked, 1 to 2 minutes"
fi
echo "It takes about 5 minutes on 2 cores, 1 GB of memory, and ports of 127.0.0.1 that are free when it asks."

if [ "$missing" -ne 0 ]; then
  echo "error: a tool is missing; nothing was run" >&2
  exit 1
fi
