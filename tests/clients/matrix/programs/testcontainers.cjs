// testcontainers for node: what it starts a container of, it pulls first.
const { GenericContainer } = require("testcontainers");

new GenericContainer(process.env.APP)
  .withNetworkMode("none")
  .start()
  // The image has no program, so that nothing can be started; that it is there is seen by the caller.
  .catch((error) => console.log(String(error)))
  .finally(() => process.exit(0));
