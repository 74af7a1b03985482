#!/bin/sh
# Opens a shell with a GNOME Keyring of its own, unlocked. The first password given becomes its
# password; the same one opens it the next time.
exec dbus-run-session -- sh -c '
    printf "Password of the keyring: " >&2
    stty -echo 2>/dev/null; IFS= read -r password; stty echo 2>/dev/null; echo >&2
    # It says where it is, unless that is known by XDG_RUNTIME_DIR.
    control=$(printf %s "$password" | gnome-keyring-daemon --unlock --components=secrets)
    unset password
    [ -z "$control" ] || export "$control"
    # Returns when the one that was unlocked is on the bus; else the bus would start another.
    gnome-keyring-daemon --start --components=secrets >/dev/null
    if ! dbus-send --print-reply --dest=org.freedesktop.secrets \
        /org/freedesktop/secrets/aliases/default org.freedesktop.DBus.Properties.Get \
        string:org.freedesktop.Secret.Collection string:Locked | grep -q "boolean false"; then
        echo "The keyring is not open: is that its password?" >&2
        exit 1
    fi
    exec "${SHELL:-sh}"'
