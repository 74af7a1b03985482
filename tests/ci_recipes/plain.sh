#!/bin/sh
# Wants REGISTRY, REGISTRY_USER, REGISTRY_PASSWORD and IMAGE in the environment.
set -eu
job=$(mktemp -d)
trap 'docker-credential-refresh logout "$REGISTRY"; rm -rf "$job"' EXIT
DOCKER_CREDENTIAL_REFRESH_PROFILE=$(basename "$job")
DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY=$(docker-credential-refresh keygen 2>/dev/null)
DOCKER_CONFIG=$job
export DOCKER_CREDENTIAL_REFRESH_PROFILE DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY DOCKER_CONFIG
echo '{"credsStore": "refresh"}' > "$DOCKER_CONFIG/config.json"

printf %s "$REGISTRY_PASSWORD" |
    docker-credential-refresh login -u "$REGISTRY_USER" --password-stdin "$REGISTRY"
unset REGISTRY_PASSWORD

docker build --tag "$IMAGE" .
docker push "$IMAGE"
