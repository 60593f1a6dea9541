import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EndpointBook, readEndpointSlice, readService, type EndpointSlice } from './endpointSlices.ts';

function slice(
  name: string,
  addresses: string[],
  conditions: object = { ready: true },
  ports: object[] = [{ name: 'http', port: 8080 }],
): EndpointSlice {
  const value = readEndpointSlice({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: addresses[0]?.includes(':') === true ? 'IPv6' : 'IPv4',
    endpoints: addresses.map((a) => ({ addresses: [a], conditions })),
    ports,
  });
  assert.ok(value);
  return value;
}

const addressesOf = (book: EndpointBook, port = 'http') => book.resolve('shop', 'web', port)?.map((e) => e.address);

test('the ready endpoints of all slices of a service answer, each once', () => {
  const book = new EndpointBook();
  book.replaceAll([
    slice('a', ['10.0.0.2', '10.0.0.1']),
    slice('b', ['10.0.0.1', '10.0.0.3']),
    slice('c', ['fd00::1']),
  ]);
  assert.deepEqual(addressesOf(book), ['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8080', '[fd00::1]:8080']);
});

test('terminating endpoints answer only while none is ready', () => {
  const book = new EndpointBook();
  const leaving = slice('a', ['10.0.0.1'], { ready: false, serving: true, terminating: true });
  book.replaceAll([leaving, slice('b', ['10.0.0.2'])]);
  assert.deepEqual(addressesOf(book), ['10.0.0.2:8080']);
  book.replaceAll([leaving]);
  assert.deepEqual(addressesOf(book), ['10.0.0.1:8080']);
});

test('a service without slices is unknown, one with slices but no endpoint is empty', () => {
  const book = new EndpointBook();
  assert.equal(addressesOf(book), undefined);
  book.set(slice('a', []));
  assert.deepEqual(addressesOf(book), []);
});

test('ports are found by name, and a single unnamed port by any', () => {
  const book = new EndpointBook();
  book.set(
    slice('a', ['10.0.0.1'], {}, [
      { name: 'http', port: 80 },
      { name: 'grpc', port: 90 },
    ]),
  );
  assert.deepEqual([addressesOf(book, 'grpc'), addressesOf(book, 'other')], [['10.0.0.1:90'], []]);
  book.replaceAll([slice('a', ['10.0.0.1'], {}, [{ port: 81 }])]);
  assert.deepEqual(addressesOf(book, '80'), ['10.0.0.1:81']);
});

test('a port number is looked up in the Service, under whatever name the slices have', () => {
  const book = new EndpointBook();
  const service = readService({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'grpc', port: 90 },
      ],
    },
  });
  assert.ok(service);
  const ports = [
    { name: 'http', port: 8080 },
    { name: 'grpc', port: 9090 },
  ];
  book.replaceAll([slice('a', ['10.0.0.1'], {}, ports), service]);
  assert.deepEqual(
    [addressesOf(book, '80'), addressesOf(book, '90'), addressesOf(book, '91')],
    [['10.0.0.1:8080'], ['10.0.0.1:9090'], []],
  );
  book.deleteService(service);
  assert.deepEqual(addressesOf(book, '80'), []);
});

test('endpoints with one port are not lost while their Service is away', () => {
  const book = new EndpointBook();
  book.replaceAll([slice('a', ['10.0.0.1']), slice('b', ['10.0.0.2'])]);
  assert.deepEqual(addressesOf(book, '80'), ['10.0.0.1:8080', '10.0.0.2:8080']);
});

test('metadata hijack: slices cannot point at link-local or metadata addresses, nor at names', () => {
  const book = new EndpointBook();
  book.set(slice('a', ['169.254.169.254', '0.0.0.0', 'evil.example.com', '10.0.0.1']));
  assert.deepEqual(addressesOf(book), ['10.0.0.1:8080']);
});

test('what is no EndpointSlice is refused', () => {
  for (const value of [null, 'x', {}, { kind: 'EndpointSlice' }, { ...slice('a', []), ports: [{ port: 99_999 }] }]) {
    assert.equal(readEndpointSlice(value), undefined);
  }
});
