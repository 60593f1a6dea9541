import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { classifyAddress, isAddressOrRange, parseEndpointAddress, refusal } from './address.ts';

test('an endpoint is an IPv4 address, a bracketed IPv6 address or a name, with a port', () => {
  for (const [text, host, port, isName] of [
    ['10.0.1.10:8000', '10.0.1.10', 8000, false],
    ['[fd00::1]:65535', 'fd00::1', 65535, false],
    ['[2001:DB8::A]:1', '2001:db8::a', 1, false],
    ['api.internal:443', 'api.internal', 443, true],
    ['my_service:80', 'my_service', 80, true],
  ] as const) {
    assert.deepEqual(parseEndpointAddress(text), { ok: true, value: { host, port, isName, loopback: false } }, text);
  }
});

test('loopback is allowed and reported, so that the caller decides', () => {
  for (const text of ['127.0.0.1:80', '127.9.9.9:80', '[::1]:80', 'localhost:80', 'a.localhost:80']) {
    const parsed = parseEndpointAddress(text);
    assert.ok(parsed.ok && parsed.value.loopback, text);
  }
});

test('text that is no address with a port is invalid', () => {
  for (const text of [
    '',
    ':',
    ':80',
    '10.0.0.1',
    '10.0.0.1:',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    '10.0.0.1:080808',
    '10.0.0.256:80',
    '::1:80',
    '[::1]',
    '[::1:80',
    '[10.0.0.1]:80',
    '[fe80::1%eth0]:80',
    'a b:80',
    '-a.example:80',
    'a..b:80',
    'user@10.0.0.1:80',
    'http://10.0.0.1:80',
    '10.0.0.1:80\n',
    '10.0.0.1:8e1',
    'ａ.example:80',
  ]) {
    const parsed = parseEndpointAddress(text);
    assert.ok(!parsed.ok && parsed.error.reason === 'Invalid', text);
  }
});

test('numbers that a resolver would take for an address are invalid', () => {
  for (const host of ['127.1', '2130706433', '0x7f000001', '0x7f.1', '010.0.0.1', '169.254.43518', 'a.0x1']) {
    const parsed = parseEndpointAddress(`${host}:80`);
    assert.ok(!parsed.ok && parsed.error.reason === 'Invalid', host);
  }
});

test('link-local, metadata, multicast, unspecified and reserved addresses are refused in every notation', () => {
  for (const host of [
    '169.254.169.254',
    '169.254.0.1',
    '0.0.0.0',
    '0.1.2.3',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '100.100.100.200',
    '168.63.129.16',
    '[fe80::1]',
    '[febf::1]',
    '[FE80::1]',
    '[ff02::1]',
    '[::]',
    '[0:0:0:0:0:0:0:0]',
    '[fd00:ec2::254]',
    '[fd00:0ec2:0:0:0:0:0:0254]',
    '[fd20:ce::254]',
    '[::ffff:169.254.169.254]',
    '[::ffff:a9fe:a9fe]',
    '[::ffff:10.0.0.1]',
    '[::127.0.0.1]',
    '[::10.0.0.1]',
    '[2002:a9fe:a9fe::1]',
    '[64:ff9b::a9fe:a9fe]',
    '[64:ff9b::169.254.169.254]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b::0.0.0.0]',
  ]) {
    const parsed = parseEndpointAddress(`${host}:80`);
    assert.ok(!parsed.ok && parsed.error.reason === 'AddressNotAllowed', host);
  }
});

test('addresses just beside the refused ranges are ordinary', () => {
  for (const host of [
    '169.253.255.255',
    '169.255.0.0',
    '1.0.0.0',
    '223.255.255.255',
    '100.100.100.201',
    '168.63.129.17',
    '[fe7f:ffff::1]',
    '[fec0::1]',
    '[fd00:ec2::253]',
    '[64:ff9b::8.8.8.8]',
    '[::1:0:0:1]',
    '[2003::1]',
    '[2001:db8::1]',
  ]) {
    assert.ok(parseEndpointAddress(`${host}:80`).ok, host);
  }
});

test('what resolution yields is judged by the same table', () => {
  assert.equal(refusal('10.1.2.3'), undefined);
  assert.equal(refusal('127.0.0.1'), undefined);
  assert.match(refusal('169.254.169.254') ?? '', /link-local/);
  assert.match(refusal('::ffff:10.0.0.1') ?? '', /write the IPv4 address itself/);
  assert.throws(() => classifyAddress('example.com'), TypeError);
});

test('trusted proxies are addresses or CIDR ranges', () => {
  for (const text of ['10.0.0.0/8', '10.0.0.1', 'fd00::/8', '::/0', '0.0.0.0/0', '::1', '10.1.2.3/24']) {
    assert.ok(isAddressOrRange(text), text);
  }
  for (const text of [
    '10.0.0.0/33',
    '10.0.0/8',
    '::/129',
    '10.0.0.0/',
    '/8',
    '10.0.0.0/8/8',
    '10.0.0.0/08',
    'fe80::1%e',
    '::ffff:10.0.0.1',
    'a',
  ]) {
    assert.ok(!isAddressOrRange(text), text);
  }
});

test('any text gives a result, and an accepted IP address is one that is not refused', () => {
  const piece = fc.constantFrom(
    '[',
    ']',
    ':',
    '::',
    '.',
    '169',
    '254',
    '127',
    'fe80',
    'ffff',
    '0',
    '80',
    'a',
    '%',
    '\n',
    '64:ff9b',
  );
  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.array(piece, { maxLength: 14 }).map((p) => p.join('')),
  );
  fc.assert(
    fc.property(text, (candidate) => {
      const parsed = parseEndpointAddress(candidate);
      if (!parsed.ok || parsed.value.isName) return;
      assert.notEqual(isIP(parsed.value.host), 0);
      assert.equal(refusal(parsed.value.host), undefined);
    }),
    { seed: 20_260_131, numRuns: 3_000 },
  );
});

test('an IPv6 address is judged alike however it is written', () => {
  const groups = fc.array(
    fc.constantFrom(0, 0, 0, 0x64, 0xff9b, 0xfe80, 0xffff, 0xa9fe, 0x7f00, 1, 0xfd00, 0xec2, 0x254),
    { minLength: 8, maxLength: 8 },
  );
  fc.assert(
    fc.property(groups, (parts) => {
      const long = parts.map((g) => g.toString(16).padStart(4, '0')).join(':');
      const short = new URL(`http://[${long}]/`).hostname.slice(1, -1);
      const tail = parts.slice(6).flatMap((g) => [g >> 8, g & 255]);
      const dotted = `${parts
        .slice(0, 6)
        .map((g) => g.toString(16))
        .join(':')}:${tail.join('.')}`;
      assert.equal(classifyAddress(short), classifyAddress(long));
      assert.equal(classifyAddress(dotted), classifyAddress(long));
    }),
    { seed: 20_260_131, numRuns: 1_000 },
  );
});
