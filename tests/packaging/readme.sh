# What the README's table says installs the program, for the scripts that source this.
# shellcheck shell=bash

# readme WHERE [N]: the command, or the Nth one, of the line for WHERE. It has to be of this version.
readme() {
    local command
    command=$(awk -F '`' -v start="| $1" -v n="${2:-1}" 'index($0, start) == 1 { print $(2 * n) }' README.md)
    [[ $command = *"$VERSION"* ]] || fail "README does not say how to install $VERSION: $1"
    echo "${command//\\|/|}"
}
