"""The Docker SDK for Python: pulls $APP, builds on it, and pushes $NEW."""
import os
import docker

client = docker.from_env()
client.images.pull(os.environ["APP"])
client.images.build(path="build", tag=os.environ["NEW"], pull=True)
for line in client.images.push(os.environ["NEW"], stream=True, decode=True):
    if "error" in line:
        raise SystemExit(line["error"])
