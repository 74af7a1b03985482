#!/bin/sh
# Opens a shell with a GNOME Keyring of its own, unlocked. The first password given becomes its
# password; the same one opens it the next time.
exec dbus-run-session -- sh -c '
    printf "Password of the keyring: " >&2
    stty -echo 2>/dev/null; IFS= read -r password; stty echo 2>/dev/null; echo >&2
    printf %s "$password" | gnome-keyring-daemon --unlock --components=secrets >/dev/null
    unset password
    exec "${SHELL:-sh}"'
