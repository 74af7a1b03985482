#!/bin/sh
# install.sh RELEASE VERSION [FOLDER]: puts docker-credential-refresh into FOLDER (~/.local/bin), from
# the files of a release, where RELEASE is the address that they have in common. The archive has to
# be the one that the release's SHA256SUMS names.
set -eu
name=docker-credential-refresh
[ $# -ge 2 ] || { echo "usage: install.sh RELEASE VERSION [FOLDER]" >&2; exit 2; }
release=$1 version=$2 folder=${3:-$HOME/.local/bin}
case $(uname -s)-$(uname -m) in
    Linux-x86_64) target=x86_64-unknown-linux-musl ;;
    Linux-aarch64) target=aarch64-unknown-linux-gnu ;;
    *) echo "install.sh: no program for $(uname -s) on $(uname -m); use cargo install --locked $name" >&2; exit 1 ;;
esac
top=$name-$version-$target
work=$(mktemp -d)
trap 'rm -rf "$work" "$folder/.$name.new"' EXIT
for file in SHA256SUMS "$top.tar.gz"; do
    curl --fail --silent --location --output "$work/$file" "$release/$file" || {
        echo "install.sh: cannot get $release/$file; look at the address and the version; nothing was installed" >&2
        exit 1
    }
done
(cd "$work" && grep " $top.tar.gz\$" SHA256SUMS | sha256sum --check --status) || {
    echo "install.sh: $top.tar.gz is not the file that SHA256SUMS names; nothing was installed" >&2
    exit 1
}
tar -xzf "$work/$top.tar.gz" -C "$work"
mkdir -p "$folder"
# Replaced in one step: a client may be running it.
cp "$work/$top/$name" "$folder/.$name.new"
mv "$folder/.$name.new" "$folder/$name"
echo "installed $folder/$name"
case :$PATH: in
    *":$folder:"*) ;;
    *) echo "put $folder on your PATH: clients look for $name there" ;;
esac
