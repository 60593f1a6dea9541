import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { everythingTo } from '../../test/support/proxyHarness.ts';
import { proxyFor } from '../../test/support/resources.ts';

/** A generator of numbers below `bound` that gives the same ones in every run. */
function seeded(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % bound;
  };
}

const SIZES = [0, 1, 100, 5_000, 70_000, 400_000];
const WORKERS = 8;
const REQUESTS_PER_WORKER = 25;

async function readAll(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

test('bodies arrive as they were sent, in any framing, beside clients that leave at any moment', async (t) => {
  const upstream = createServer((incoming, outgoing) => {
    // Echoes while it reads: chunked where the request was, with its length otherwise.
    const length = incoming.headers['content-length'];
    if (length !== undefined) outgoing.setHeader('content-length', length);
    incoming.pipe(outgoing);
    incoming.on('error', () => outgoing.destroy());
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  t.after(() => {
    upstream.close();
    upstream.closeAllConnections();
  });
  const proxy = await proxyFor(t, everythingTo(`127.0.0.1:${(upstream.address() as AddressInfo).port}`));

  const send = async (random: (bound: number) => number): Promise<boolean> => {
    const body = Buffer.alloc(SIZES[random(SIZES.length)] ?? 0, String(random(1_000_000)));
    const outgoing = request({ port: proxy.port, host: '127.0.0.1', method: 'POST', path: '/echo' });
    if (random(2) === 0) outgoing.setHeader('content-length', body.length);
    const leaves = random(4) === 0;
    const answer = new Promise<IncomingMessage | null>((resolve) => {
      outgoing.on('response', resolve);
      outgoing.on('error', () => resolve(null));
    });
    const half = random(body.length + 1);
    outgoing.write(body.subarray(0, half));
    if (leaves) setTimeout(() => outgoing.destroy(), random(10));
    outgoing.end(body.subarray(half));
    const response = await answer;
    if (leaves) {
      response?.destroy();
      return false;
    }
    assert.equal(response?.statusCode, 200);
    assert.ok((await readAll(response)).equals(body));
    return true;
  };
  const complete: boolean[] = [];
  await Promise.all(
    Array.from({ length: WORKERS }, async (_, worker) => {
      const random = seeded(worker + 1);
      for (let i = 0; i < REQUESTS_PER_WORKER; i += 1) complete.push(await send(random));
    }),
  );
  while ((proxy.snapshot?.lease.requests ?? 0) > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const fine = proxy.records.filter((record) => record.status === 200 && record.error === undefined);
  assert.ok(fine.length >= complete.filter(Boolean).length);
  assert.deepEqual(
    proxy.records.filter((record) => record.status !== 200 && record.status !== 499),
    [],
  );
  assert.deepEqual(proxy.internalErrors, []);
});
