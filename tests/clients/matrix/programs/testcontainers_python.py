"""testcontainers for Python: what it starts a container of, it pulls first."""
import os
import docker
from testcontainers.core.container import DockerContainer

try:
    DockerContainer(os.environ["APP"]).with_kwargs(network_mode="none").start()
except docker.errors.APIError as error:
    # The image has no program, so that nothing can be started; that it is there is seen by the caller.
    print(error)
