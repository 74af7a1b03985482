"""Helm's SDK for Python, which has Helm itself inside: pushes a chart, and pulls it."""
import os
import helm_python

registry, plain = f"oci://{os.environ['REGISTRY']}/alice", "PLAIN" in os.environ
client = helm_python.RegistryClient(plain_http=plain)
helm_python.registry.push("chart-1.0.0.tgz", registry, client=client, plain_http=plain)
os.remove("chart-1.0.0.tgz")
helm_python.registry.pull(f"{registry}/chart", client=client, version="1.0.0", plain_http=plain)
os.stat("chart-1.0.0.tgz")
