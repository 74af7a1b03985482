# The token server of the tests, for as long as the script that sources this runs: its host in $host,
# the file of its CA in $ca. The script calls stop_server when it ends, and has its files in $work.
# shellcheck shell=bash disable=SC2034,SC2154 # used, and set, by those that source it
cargo build --locked --quiet --example mock-token-server
mkfifo "$work/stdin"
"$TARGET_DIR/debug/examples/mock-token-server" --user alice:secret --profile distribution \
    <"$work/stdin" >"$work/server" &
server=$!
# It serves until its stdin ends.
exec 9>"$work/stdin"
stop_server() {
    exec 9>&-
    # It ends by the end of its stdin; how does not matter to what was tested.
    wait "$server" || true
}
for _ in $(seq 100); do [ ! -s "$work/server" ] || break; sleep 0.1; done
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$work/server"; }
ca=$(field ca_file) host=$(field registry_host)
[ -n "$ca" ] || fail "the token server does not start"
