#!/bin/sh
# As root, once: a user, its key, sealed for this machine, and its login.
set -eu
useradd --system --create-home --home-dir /var/lib/puller puller
DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY=$(docker-credential-refresh keygen 2>/dev/null)
HOME=/var/lib/puller
export DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY HOME
printf %s "$DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY" |
    systemd-creds encrypt --name=docker-credential-refresh-age-identity - /etc/puller.cred
cd "$HOME"
runuser -u puller -- docker-credential-refresh configure --fallback none
runuser -u puller -- docker-credential-refresh login registry.example.com
