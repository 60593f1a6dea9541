#!/bin/sh
# Runs its arguments under Node.js 24 or newer: `hack/node.sh script.ts …`.
# Prefers the project's own Node (an optional dependency, installed on Linux), else the one on PATH.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
wanted=24

major() { # major <node>: its major version, or 0 where it doesn't run (another libc, another CPU)
  version=$("$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null) || version=0
  echo "${version:-0}"
}

own="$root/node_modules/.bin/node"
if [ -x "$own" ] && [ "$(major "$own")" -ge "$wanted" ]; then
  node=$own
elif found=$(command -v node) && [ "$(major "$found")" -ge "$wanted" ]; then
  node=$found
else
  echo "error: Node.js $wanted or newer is needed; on PATH: $(node --version 2>/dev/null || echo none)." >&2
  case $(uname -s) in
    Linux) echo "  Run 'make deps': npm installs the project's own Node.js (x64 and arm64, glibc)." >&2 ;;
    Darwin) echo "  Install it: 'brew install node@$wanted', or the package from https://nodejs.org." >&2 ;;
    *) echo "  Install it from https://nodejs.org." >&2 ;;
  esac
  exit 1
fi

# Tools that start `node` by name (npm's bin scripts do) get the same one.
PATH=$(dirname -- "$node"):$PATH
export PATH
exec "$node" "$@"
