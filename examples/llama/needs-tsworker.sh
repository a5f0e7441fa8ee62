#!/usr/bin/env bash
# The worker runs from its sources, two folders up, and its packages may not be installed yet.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -d node_modules/tsx ] && exit
echo "Installing the packages of tsworker in $PWD" >&2
# npm hands this folder's settings down to what it runs; the worker needs its optional packages and their scripts.
unset npm_config_omit npm_config_ignore_scripts
exec npm ci >&2
