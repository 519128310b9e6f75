#!/bin/sh
# Run npm with the machine's node or, where there is none (or an old one), with node from PyPI.
set -eu
if ! node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' 2>/dev/null; then
  test -x .node/bin/npm || {
    .tools/bin/uv venv --quiet --python python3 .node
    VIRTUAL_ENV=.node .tools/bin/uv pip install --quiet --require-hashes -r requirements/node.txt
  }
  PATH="$PWD/.node/bin:$PATH"
fi
exec npm --silent --no-fund --no-audit "$@"
