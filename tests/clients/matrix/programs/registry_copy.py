"""aioregistry: copies $APP to $NEW."""
import asyncio
import os
import ssl

import aiohttp
from aioregistry import AsyncRegistryClient, default_credential_store, parse_image_name


async def main():
    async with aiohttp.ClientSession(trust_env=True) as session:
        client = AsyncRegistryClient(
            session=session,
            creds=default_credential_store(),
            ssl_context=ssl.create_default_context(),
        )
        app, new = (parse_image_name(os.environ[name]) for name in ("APP", "NEW"))
        if "PLAIN" in os.environ:
            plain = {"registry": app.registry.model_copy(update={"prot": "http"})}
            app, new = app.model_copy(update=plain), new.model_copy(update=plain)
        await client.copy_refs(app, new)


asyncio.run(main())
