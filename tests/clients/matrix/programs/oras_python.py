"""ORAS for Python: pushes a file to $NEW, and pulls it; with the access token $ACCESS_TOKEN, if there is one."""
import os
import oras.client
import oras.decorator

# It tries again for two minutes, with pauses.
oras.decorator.time.sleep = lambda seconds: None

client = oras.client.OrasClient(
    hostname=os.environ["REGISTRY"],
    insecure="PLAIN" in os.environ,
    auth_backend="basic" if "BASIC" in os.environ else "token",
)
if "ACCESS_TOKEN" in os.environ:
    client.auth.set_token_auth(os.environ["ACCESS_TOKEN"])
client.push(target=os.environ["NEW"], files=["build/file"])
client.pull(target=os.environ["NEW"], outdir="pulled")
