import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { everythingTo } from '../../test/support/proxyHarness.ts';
import { clientFor, proxyFor, upstreamFor } from '../../test/support/resources.ts';

/** More than all kernel buffers on the way together. */
const BODY_BYTES = 64_000_000;
const PIECE = 'x'.repeat(64_000);

/** Waits until `count` stops growing: what is not taken by then will not be. */
async function settled(count: () => number): Promise<number> {
  let last = -1;
  for (let now = count(); now !== last; now = count()) {
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  return last;
}

describe('backpressure', () => {
  test('a client that does not read stops the upstream; when it reads, it gets everything', async (t) => {
    const upstream = await upstreamFor(t, ({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`);
      for (let i = 0; i < BODY_BYTES / PIECE.length; i += 1) socket.write(PIECE, 'latin1');
    });
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    let received = 0;
    client.socket.removeAllListeners('data');
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const { socket } = await upstream.connection(0);
    const left = await settled(() => socket.writableLength);
    assert.ok(left > BODY_BYTES / 2, `${left} bytes are still with the upstream`);
    client.socket.on('data', (text: string) => (received += text.length));
    client.socket.resume();
    const record = await proxy.record(0);
    assert.equal(record.responseBytes, BODY_BYTES);
    assert.equal(record.error, undefined);
    await settled(() => received);
    assert.ok(received > BODY_BYTES);
  });

  test('an upstream that does not read stops the client; when it reads, it gets everything', async (t) => {
    const upstream = await upstreamFor(t);
    const proxy = await proxyFor(t, everythingTo(upstream.address));
    const client = await clientFor(t, proxy.port);
    client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`);
    const connection = await upstream.connection(0);
    connection.socket.removeAllListeners('data');
    connection.socket.pause();
    for (let i = 0; i < BODY_BYTES / PIECE.length; i += 1) client.send(PIECE);
    const left = await settled(() => client.socket.writableLength);
    assert.ok(left > BODY_BYTES / 2, `${left} bytes are still with the client`);
    let received = 0;
    connection.socket.on('data', (text: string) => {
      received += text.length;
      if (received >= BODY_BYTES) connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    connection.socket.resume();
    await client.until(/ok$/);
    assert.equal(proxy.records[0]?.requestBytes, BODY_BYTES);
  });
});
