#!/bin/sh
# Installs the locked npm packages (with the project's own Node.js 24 on Linux) where they are missing or outdated.
set -eu
cd "$(dirname -- "$0")/.."

for tool in node npm; do
  command -v "$tool" >/dev/null || {
    echo "error: '$tool' is not on PATH. Install Node.js (https://nodejs.org); any version that can run npm will do on Linux." >&2
    exit 1
  }
done

status=0
node hack/ensure-deps.mjs || status=$?
[ "$status" -le 1 ] || exit "$status"
[ "$status" -eq 1 ] || exit 0

echo "==> Installing the npm packages of package-lock.json (150 MB, 450 MB unpacked, Node.js 24 among them; a minute or two)"
started=$(date +%s)
npm ci --no-fund --no-audit --loglevel=error --progress=true
echo "    installed in $(($(date +%s) - started)) s"
