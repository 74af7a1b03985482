#!/bin/sh
# Wants REGISTRY, REGISTRY_USER and REGISTRY_PASSWORD in the environment, SCOPE, and in TOOLS an
# image with the helper in it. The key stays on the host, the encrypted logins are in a volume.
set -eu
[ -e age-identity.txt ] || (umask 077; docker-credential-refresh keygen > age-identity.txt)
tools() {
    docker run --rm -i --volume tools:/home/tools --env HOME=/home/tools \
        --mount "type=bind,source=$PWD/age-identity.txt,target=/run/secrets/age-identity,readonly" \
        --env DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY=/run/secrets/age-identity \
        "$TOOLS" "$@"
}
printf %s "$REGISTRY_PASSWORD" |
    tools docker-credential-refresh login -u "$REGISTRY_USER" --password-stdin "$REGISTRY"
tools docker-credential-refresh token "$REGISTRY" --scope "$SCOPE"
