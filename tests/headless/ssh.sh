#!/bin/sh
# Opens a shell with a GNOME Keyring of its own, unlocked. The first password given becomes its
# password; the same one opens it the next time.
exec dbus-run-session -- sh -c '
    printf "Password of the keyring: " >&2
    stty -echo 2>/dev/null; IFS= read -r password; stty echo 2>/dev/null; echo >&2
    export $(printf %s "$password" | gnome-keyring-daemon --unlock --components=secrets)
    unset password
    # Returns when the one that was unlocked is on the bus; else the bus would start another.
    gnome-keyring-daemon --start --components=secrets >/dev/null
    exec "${SHELL:-sh}"'
