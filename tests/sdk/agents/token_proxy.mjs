// Forwards requests to the gateway with a client's token, for a judge that cannot send one itself.
// Prints its address. Its own host name becomes the gateway's in Host and Origin; every other value
// reaches the gateway as it is, so that a forged one is judged by the gateway.
//
//     GATEWAY=127.0.0.1:4283 TOKEN=… node token_proxy.mjs

import { createServer, request } from "node:http";

const { GATEWAY, TOKEN } = process.env;
const [host, port] = GATEWAY.split(":");

const server = createServer((asked, answer) => {
  const own = `127.0.0.1:${server.address().port}`;
  const mapped = (value) => value?.replace(own, GATEWAY);
  const headers = { ...asked.headers, host: mapped(asked.headers.host) };
  if (asked.headers.origin !== undefined) headers.origin = mapped(asked.headers.origin);
  headers.authorization = `Bearer ${TOKEN}`;
  const forwarded = request({ host, port, path: asked.url, method: asked.method, headers }, (told) => {
    answer.writeHead(told.statusCode, told.headers);
    told.pipe(answer);
  });
  forwarded.on("error", () => answer.destroy());
  answer.on("close", () => forwarded.destroy());
  asked.pipe(forwarded);
});
server.listen(0, "127.0.0.1", () => console.log(`127.0.0.1:${server.address().port}`));
