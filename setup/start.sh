# Sourced by bin/labelqueue. A set-up that was found complete and has not changed since needs no look at all of its parts,
# and no other Node to look.

# The files that say what a set-up is, and the stamps of what was made: one that is replaced or written has another time,
# size or number. Prints nothing where one is missing, and the same in each time zone and language: times and the order of
# names would be others.
set_up_state() (
  export TZ=UTC0 LC_ALL=C
  cd "$1" && stat -c '%n %z %s %i' package-lock.json setup/*.mjs setup/steps/* \
    node_modules/.labelqueue-stamp.json .labelqueue/toolchain/*/.labelqueue-stamp.json
) 2>/dev/null

# start_if_ready PROJECT ARGUMENT…: runs the command in place of this process, or returns.
start_if_ready() {
  project=$1
  shift
  toolchain=$project/.labelqueue/toolchain
  # What CXX names is part of what was made.
  [ -z "${CXX-}" ] && [ -x "$toolchain/node/bin/node" ] && [ -r "$toolchain/ready" ] || return 0
  ready=$(set_up_state "$project") && [ "$ready" = "$(cat "$toolchain/ready")" ] || return 0
  export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE-$project/.labelqueue/compile-cache}"
  # As bin/labelqueue says for Node.
  case ${1-} in
    local | demo) exec "$toolchain/node/bin/node" "$project/cli/main.ts" "$@" ;;
    *) exec "$toolchain/node/bin/node" --max-semi-space-size=1 --max-old-space-size=512 "$project/cli/main.ts" "$@" ;;
  esac
}
