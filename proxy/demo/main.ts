/** A small upstream for trying things out: says who answered, and with what it was asked. */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8000' },
    host: { type: 'string', default: '0.0.0.0' },
    name: { type: 'string', default: 'hello' },
  },
});

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    const body = `${JSON.stringify({ from: values.name, method: request.method, path: request.url, headers: request.headers })}\n`;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
});
server.on('error', (error) => {
  process.stderr.write(`demo upstream ${values.name}: ${error.message}\n`);
  process.exitCode = 1;
});
server.listen(Number(values.port), values.host);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    server.close();
    server.closeIdleConnections();
  });
}
