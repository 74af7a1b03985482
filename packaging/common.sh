# What the scripts of this folder have in common; they source it after they went to the top folder.
# shellcheck shell=bash disable=SC2034 # used by those that source it
set -eu -o pipefail

NAME=docker-credential-refresh
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# Where releases lie, and who packs them, is known to a release; a test needs some value.
REPOSITORY=${REPOSITORY:-https://$NAME.invalid/$NAME}
MAINTAINER=${MAINTAINER:-"$NAME contributors <maintainers@$NAME.invalid>"}
# Every file in a package is as old as the commit, so that two builds give the same bytes.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null) || SOURCE_DATE_EPOCH=$(stat -c %Y CHANGELOG.md)
fi
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C CARGO_TERM_COLOR=never
umask 022
TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")

fail() {
    echo "packaging/$(basename "$0"): $1" >&2
    exit "${2:-1}"
}

# The program for a target has this name in an archive.
program() {
    case $1 in *-windows-*) echo "$NAME.exe" ;; *) echo "$NAME" ;; esac
}
