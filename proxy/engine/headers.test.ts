import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { everythingTo, type TestConfig } from '../../test/support/proxyHarness.ts';
import { answering } from '../../test/support/rawUpstream.ts';
import { clientFor, proxyFor, upstreamFor } from '../../test/support/resources.ts';

const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

/** The request lines an upstream gets for these client lines, the answer the client gets, and the proxy. */
async function exchange(t: TestContext, lines: string, http: TestConfig['http'] = {}, response = HELLO) {
  const upstream = await upstreamFor(t, answering(response));
  const proxy = await proxyFor(t, everythingTo(upstream.address, { http }));
  const client = await clientFor(t, proxy.port);
  client.send(`GET / HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`);
  const answer = await client.until(/hello/);
  const sent = upstream.received.split('\r\n').slice(1, -2);
  const values = (name: string) =>
    sent.filter((line) => line.toLowerCase().startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
  return { sent, values, answer, proxy };
}

const FROM_LOOPBACK = { trustedProxies: ['127.0.0.0/8'] };

describe('forwarded headers', () => {
  test('spoofed X-Forwarded-* and Forwarded of an untrusted client are overwritten', async (t) => {
    const { values, sent, proxy } = await exchange(
      t,
      'X-Forwarded-For: 6.6.6.6\r\nX-FORWARDED-FOR: 7.7.7.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.test\r\n' +
        'X-Forwarded-Port: 1\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX-Forwarded-Prefix: /admin\r\n' +
        'X-Forwarded-User: root\r\nX-Forwarded-Whatever: root\r\nX_Forwarded_For: 6.6.6.6\r\nX-Forwarded_For: 6.6.6.6\r\n',
    );
    assert.deepEqual(values('x-forwarded-for'), ['127.0.0.1']);
    assert.deepEqual(values('x-forwarded-proto'), ['http']);
    assert.deepEqual(values('x-forwarded-host'), ['a.test']);
    assert.deepEqual(values('x-forwarded-port'), [String(proxy.port)]);
    assert.equal(sent.filter((line) => /6\.6\.6\.6|7\.7\.7\.7|evil|root|admin/.test(line)).length, 0, sent.join('\n'));
    assert.equal(proxy.records[0]?.client, '127.0.0.1');
  });

  test('a trusted proxy is believed, and its X-Forwarded-For grows by its own address', async (t) => {
    const { values, proxy } = await exchange(
      t,
      'X-Forwarded-For: 203.0.113.7, 127.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.test\r\nForwarded: for=203.0.113.7\r\n',
      FROM_LOOPBACK,
    );
    assert.deepEqual(values('x-forwarded-for'), ['203.0.113.7, 127.9.9.9, 127.0.0.1']);
    assert.deepEqual(values('x-forwarded-proto'), ['https']);
    assert.deepEqual(values('x-forwarded-host'), ['shop.test']);
    assert.deepEqual(values('forwarded'), ['for=203.0.113.7']);
    assert.equal(proxy.records[0]?.client, '203.0.113.7');
  });

  test('a Connection line cannot strip what the proxy writes', async (t) => {
    const { values, sent } = await exchange(
      t,
      'Connection: X-Forwarded-For, x-request-id, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nTE: gzip\r\nProxy-Authorization: x\r\n',
    );
    assert.deepEqual(values('x-forwarded-for'), ['127.0.0.1']);
    assert.equal(values('x-request-id').length, 1);
    assert.equal(
      sent.filter((line) => /^(x-mine|keep-alive|te|proxy-authorization|connection):/i.test(line)).length,
      0,
    );
  });

  test('names that other servers fold into framing fields are not forwarded', async (t) => {
    const { sent } = await exchange(t, 'Transfer_Encoding: chunked\r\nContent_Length: 3\r\nX_Request_Id: 1\r\n');
    assert.equal(sent.filter((line) => line.includes('_') && !line.startsWith('x-request-id: req_')).length, 0);
  });

  test('hop-by-hop lines of the upstream stay with the proxy', async (t) => {
    const { answer } = await exchange(
      t,
      '',
      {},
      'HTTP/1.1 200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: x\r\nX-Request-Id: theirs\r\n' +
        'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 5\r\n\r\nhello',
    );
    assert.doesNotMatch(answer, /x-hop|keep-alive|proxy-authenticate|theirs/i);
    assert.match(answer, /\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n/);
  });
});

describe('request ids', () => {
  test('a usable id of the client goes upstream, comes back and is logged', async (t) => {
    const { values, answer, proxy } = await exchange(t, 'X-Request-Id: order-4711.a\r\n');
    assert.deepEqual(values('x-request-id'), ['order-4711.a']);
    assert.match(answer, /\r\nx-request-id: order-4711\.a\r\n/);
    assert.equal(proxy.records[0]?.requestId, 'order-4711.a');
  });

  for (const id of ['two words', 'quote"', 'x'.repeat(129), 'ä', '{json}', '']) {
    test(`an unusable id (${JSON.stringify(id.slice(0, 12))}) is replaced`, async (t) => {
      const { values, proxy } = await exchange(t, `X-Request-Id: ${id}\r\n`);
      assert.equal(values('x-request-id').length, 1);
      assert.match(values('x-request-id')[0] ?? '', /^req_[0-9a-f]{24}$/);
      assert.equal(proxy.records[0]?.requestId, values('x-request-id')[0]);
    });
  }
});
