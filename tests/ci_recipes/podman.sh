#!/bin/sh
# Wants REGISTRY, REGISTRY_USER, REGISTRY_PASSWORD and IMAGE in the environment.
# For podman, buildah and skopeo, which read no credsStore. Log in with docker-credential-refresh:
# "podman login" refuses once an identity token is kept.
set -eu
job=$(mktemp -d)
trap 'docker-credential-refresh logout "$REGISTRY"; rm -rf "$job"' EXIT
DOCKER_CREDENTIAL_REFRESH_PROFILE=$(basename "$job")
DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY=$(docker-credential-refresh keygen 2>/dev/null)
REGISTRY_AUTH_FILE=$job/auth.json
export DOCKER_CREDENTIAL_REFRESH_PROFILE DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY REGISTRY_AUTH_FILE
echo "{\"credHelpers\": {\"$REGISTRY\": \"refresh\"}}" > "$REGISTRY_AUTH_FILE"

printf %s "$REGISTRY_PASSWORD" |
    docker-credential-refresh login -u "$REGISTRY_USER" --password-stdin "$REGISTRY"
unset REGISTRY_PASSWORD

buildah build --tag "$IMAGE" .
buildah push "$IMAGE"
skopeo inspect "docker://$IMAGE"
podman pull "$IMAGE"
