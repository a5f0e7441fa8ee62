#!/usr/bin/env bash
# The launch script of the hello-autoscaler guide's backend: what an instance's on-start command calls.
# It has no model server to start first, so all that is left is to name the backend.
set -euo pipefail

script=$(readlink -f -- "${BASH_SOURCE[0]}")
# A bare tilde knows the home folder even where a service manager has not set HOME.
home=${TSWORKER_HOME:-}
[[ -n $home ]] || home=~/.tsworker

exec "${script%/*}/start_server.sh" "$home" helloautoscaler "$@"
