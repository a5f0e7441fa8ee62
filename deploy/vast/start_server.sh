#!/usr/bin/env bash
# Starts a worker on a rented instance, installing first what the instance lacks.
# What each part does and why is told in deploy/README.md; `--help` tells how to call it.
#
# In order: read the arguments, set the environment's defaults, find the package, make sure of Node
# and of the package, refuse an unknown backend, and become the worker (exec), so that signals and
# the exit code are the worker's own. Whatever this script says goes to stderr: stdout is the worker's.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: start_server.sh <backend> [options of `tsworker start`]
       start_server.sh <installation path> <backend> [options of `tsworker start`]

Starts a tsworker with this backend: the name of one (helloautoscaler), or a file of your own
(./my-backend.ts). The installation path is where Node and the package are put when the instance
lacks them.

Environment, all of it optional here:
  REPORT_ADDR            autoscaler addresses, comma-separated (https://run.vast.ai)
  WORKER_PORT            port that the worker listens on (AUTH_PORT, else 3000)
  MASTER_TOKEN           secret shared with the autoscaler (a warning when there is none)
  TSWORKER_HOME          installation path where none is given (~/.tsworker)
  TSWORKER_PACKAGE       what npm installs: a name, name@version or tarball (tsworker)
  TSWORKER_NODE_VERSION  Node to install where it is missing or older than 20.18 (20)

Exit codes: the worker's own; 1 when something could not be installed; 2 for a wrong call or an
unknown backend.
TEXT
}

say() { printf 'start_server: %s\n' "$*" >&2; }

die() {
  local code=$1
  shift
  say "$*"
  exit "$code"
}

# Runs one step of an installation. Install scripts of packages run in it, so it does not get the
# secret. It runs in the background with a trap, because bash would otherwise hold a signal back
# until the step is over, and leave the step running if it died of it.
step() {
  local child status=0
  (
    unset MASTER_TOKEN
    exec "$@"
  ) >&2 &
  child=$!
  # shellcheck disable=SC2064 # The id of this child, not of a later one.
  trap "stop_step $child 143" TERM
  # shellcheck disable=SC2064
  trap "stop_step $child 130" INT
  wait "$child" || status=$?
  trap - TERM INT
  return "$status"
}

stop_step() {
  kill -TERM "$1" 2>/dev/null || true
  wait "$1" || true
  die "$2" 'stopped while installing'
}

# ---- Node --------------------------------------------------------------------------------------

node_is_new_enough() {
  local version
  version=$(node --version 2>/dev/null) || return 1
  [[ $version =~ ^v([0-9]+)\.([0-9]+)\. ]] || return 1
  ((BASH_REMATCH[1] > 20 || (BASH_REMATCH[1] == 20 && BASH_REMATCH[2] >= 18)))
}

# Asked by running it: an npm whose Node is gone or too old for it is still on PATH.
npm_works() { npm --version >/dev/null 2>&1; }

# Node is there, and so is npm if something has yet to be installed with it.
have_node() { node_is_new_enough && { [[ $missing == nothing ]] || npm_works; }; }

ensure_node() {
  have_node && return
  local bin=$home/node/node_modules/.bin
  if ! PATH=$bin:$PATH have_node; then
    local found
    found=$(node --version 2>/dev/null) || found=none
    say "Node >= 20.18 with npm is needed, found: $found"
    npm_works || install_npm_with_apt
    # A newer Debian or Ubuntu has all that is needed, and then the step above was the last one.
    have_node && return
    install_node_with_npm
    PATH=$bin:$PATH have_node ||
      die 1 "the Node in $bin does not run here or is older than 20.18: set TSWORKER_NODE_VERSION to another version, or put a Node >= 20.18 first on PATH"
  fi
  export PATH=$bin:$PATH
}

install_npm_with_apt() {
  local as_root=()
  command -v apt-get >/dev/null || die 1 'there is neither npm nor apt-get to install Node with: put a Node >= 20.18 with npm first on PATH'
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die 1 'Node has to be installed with apt-get, which needs root: start as root, or put a Node >= 20.18 with npm first on PATH'
    as_root=(sudo)
  fi
  say 'installing nodejs and npm with apt-get'
  # Images often carry a package source that has gone; what is needed may come from the others.
  step "${as_root[@]}" apt-get update -qq ||
    say 'apt-get update failed (see above), going on with the package lists that are there'
  # An instance that has just booted may be at its own upgrades: wait for them, don't fail.
  step "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq -o DPkg::Lock::Timeout=120 --no-install-recommends nodejs npm ca-certificates ||
    die 1 'apt-get could not install nodejs and npm (see above): mend its package sources, or put a Node >= 20.18 with npm first on PATH'
  npm_works || die 1 'apt-get installed npm, but it does not run: put a Node >= 20.18 with npm first on PATH'
}

# The distribution's Node is often too old (bookworm: 18), but its npm can fetch a newer one, since
# there are packages that hold nothing but the program. A newer npm comes with it: bookworm's (9.2)
# manages this one step, but gives up on the package ("Exit handler never called!"), under any Node.
install_node_with_npm() {
  local arch version=${TSWORKER_NODE_VERSION:-20}
  case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) die 1 "no Node is known for this machine ($(uname -m)): put a Node >= 20.18 with npm first on PATH" ;;
  esac
  make_home
  say "installing Node $version into $home/node"
  step npm install --prefix "$home/node" --no-audit --no-fund --loglevel=error \
    "node-linux-$arch@$version" npm@10 ||
    die 1 "npm could not install Node $version (see above): check the network and npm's registry setting, or set TSWORKER_NODE_VERSION to another version"
}

# ---- The package -------------------------------------------------------------------------------

make_home() {
  mkdir -p -- "$home" 2>/dev/null ||
    die 1 "cannot make the folder $home to install into: give another installation path, or set TSWORKER_HOME"
}

# Sets `package` (its folder) and `missing`: nothing, build (a checkout that has no dist yet) or install.
find_package() {
  local here dir
  here=$(readlink -f -- "${BASH_SOURCE[0]}")
  here=${here%/*}
  for dir in "${here%/deploy/vast}" "$home"; do
    if [[ -f $dir/dist/src/cli/main.js ]]; then
      package=$dir missing=nothing
      return
    elif [[ -f $dir/src/cli/main.ts ]]; then
      package=$dir missing=build
      return
    fi
  done
  package=$home/node_modules/tsworker missing=install
  if installed_whole; then missing=nothing; fi
}

# npm writes its hidden lock file last: without it an installation was cut short. An installation
# from something else than TSWORKER_PACKAGE now names is out of date.
installed_whole() {
  local from=
  [[ -f $package/dist/src/cli/main.js && -f $home/node_modules/.package-lock.json ]] || return 1
  [[ -n ${TSWORKER_PACKAGE:-} ]] || return 0
  if [[ -f $home/installed-from ]]; then from=$(<"$home/installed-from"); fi
  [[ $from == "$TSWORKER_PACKAGE" ]]
}

build_package() {
  say "building tsworker in $package: npm ci, then npm run build"
  # Half a build would pass for a whole one at the next start.
  trap 'rm -rf -- "${package:?}/dist"' EXIT
  # The build needs the development packages, which NODE_ENV=production would leave out.
  step npm --prefix "$package" ci --include=dev --no-audit --no-fund --loglevel=error ||
    die 1 "npm ci failed in $package (see above): check the network and npm's registry setting, then start again"
  step npm --prefix "$package" run build ||
    die 1 "npm run build failed in $package (see above): mend the checkout, or use a released version of it"
  [[ -f $package/dist/src/cli/main.js ]] ||
    die 1 "npm run build in $package made no dist/src/cli/main.js: is this a checkout of tsworker?"
  trap - EXIT
}

install_package() {
  local from=${TSWORKER_PACKAGE:-tsworker} spec
  spec=$from
  # npm would look for a relative path from the installation path.
  case $spec in
    /*) ;;
    ./* | ../* | *.tgz | *.tar.gz) [[ ! -e $spec ]] || spec=$PWD/$spec ;;
  esac
  make_home
  say "installing $from into $home"
  step npm install --prefix "$home" --omit=dev --no-audit --no-fund --loglevel=error "$spec" ||
    die 1 "npm could not install $from (see above): check the network and npm's registry setting, or set TSWORKER_PACKAGE to a version or tarball that can be had"
  [[ -f $package/dist/src/cli/main.js ]] ||
    die 1 "$from was installed, but it is not a built tsworker: set TSWORKER_PACKAGE to a released version or a tarball of npm pack"
  printf '%s\n' "$from" >"$home/installed-from"
}

# ---- The backend -------------------------------------------------------------------------------

refuse_unknown_backend() {
  local listed name names=
  case $backend in
    */* | *.ts | *.mts | *.js | *.mjs)
      [[ -f $backend ]] || die 2 "there is no file ${backend@Q} to take a backend from (looked from $PWD)"
      return
      ;;
  esac
  # A backend of the package is one file of it, which spares asking a second Node (0.1 s and more). Should
  # the file be something else, `tsworker start` refuses it in the same way.
  [[ ! -f $package/dist/backends/$backend.js ]] || return 0
  listed=$(node "$package/dist/src/cli/main.js" backends) ||
    die 1 "the tsworker in $package does not run (see above): remove that installation (of a checkout: its dist folder) and start again"
  while read -r name _; do
    [[ $name != "$backend" ]] || return 0
    [[ -z $name ]] || names+=${names:+, }$name
  done <<<"$listed"
  die 2 "unknown backend ${backend@Q}; there are: $names (or a file of your own: ./my-backend.ts)"
}

warn_about_token() {
  case ${MASTER_TOKEN:-} in
    '') say 'warning: MASTER_TOKEN is not set: the autoscaler cannot tell that reports are from this worker, and the worker refuses every call that needs the token; set it to your autoscaler account'\''s token' ;;
    mtoken) say 'warning: MASTER_TOKEN is the word that old launchers set, which everybody knows: the worker refuses every call that needs the token; set it to your autoscaler account'\''s token' ;;
  esac
}

# ---- All of it, in order -----------------------------------------------------------------------

case ${1:-} in
  -h | --help)
    usage
    exit
    ;;
  -*) die 2 "the backend comes first, got ${1@Q}; see start_server.sh --help" ;;
esac

# Two words before the first option are the installation path and the backend.
if (($# >= 2)) && [[ $2 != -* ]]; then
  home=$1
  shift
else
  home=${TSWORKER_HOME:-}
fi
# A bare tilde knows the home folder even where a service manager has not set HOME.
[[ -n $home ]] || home=~/.tsworker
[[ $home == /* ]] || home=$PWD/$home
backend=${1:-}
[[ -n $backend ]] || die 2 'no backend given; see start_server.sh --help'
shift

export BACKEND=$backend
export REPORT_ADDR=${REPORT_ADDR:-https://run.vast.ai}
export WORKER_PORT=${WORKER_PORT:-${AUTH_PORT:-3000}}

find_package
ensure_node
case $missing in
  build) build_package ;;
  install) install_package ;;
esac
refuse_unknown_backend
warn_about_token
exec node "$package/dist/src/cli/main.js" start "$backend" "$@"
