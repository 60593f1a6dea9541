import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderBlock } from './headerBlock.ts';
import {
  CHUNK_END,
  encodeChunkHeader,
  encodeLastChunk,
  encodeRequestHead,
  encodeResponseHead,
  headerLine,
} from './serialize.ts';
import { pairsOf, requestEvents, responseEvents } from './testkit.ts';

test('an encoded request is what the request parser reads', () => {
  const lines = headerLine('Host', 'a.example') + headerLine('Transfer-Encoding', 'chunked');
  const body = `${encodeChunkHeader(10)}0123456789${CHUNK_END}${encodeLastChunk(headerLine('X-Sum', '1'))}`;
  const events = requestEvents(encodeRequestHead('POST', '/a?b', lines) + body);
  assert.deepEqual(events.slice(1), [
    { kind: 'data', text: '0123456789' },
    { kind: 'trailers', headers: [['X-Sum', '1']] },
    { kind: 'end' },
  ]);
});

test('an encoded response is what the response parser reads', () => {
  const text = encodeResponseHead(404, undefined, headerLine('Content-Length', '2')) + 'no';
  assert.ok(text.startsWith('HTTP/1.1 404 Not Found\r\n'));
  assert.deepEqual(responseEvents(text).slice(1), [
    { kind: 'data', text: 'no' },
    { kind: 'end', reusable: true },
  ]);
  assert.ok(encodeResponseHead(200, 'Fine', '').startsWith('HTTP/1.1 200 Fine\r\n'));
  assert.ok(encodeResponseHead(200, '', '').startsWith('HTTP/1.1 200 \r\n'));
  assert.ok(encodeResponseHead(799, undefined, '').startsWith('HTTP/1.1 799 \r\n'));
});

test('a header line with a control character, or beyond latin1, is a programming error', () => {
  for (const value of ['a\r\nb', 'a\nb', 'a\rb', 'a\0b', 'a\x7fb', 'a\u0100b']) {
    assert.throws(() => headerLine('X', value), TypeError);
  }
  for (const name of ['', 'a b', 'a:', 'a\r\n', 'é']) assert.throws(() => headerLine(name, 'x'), TypeError);
  assert.equal(headerLine('X', 'a\tb \xe9'), 'X: a\tb \xe9\r\n');
});

test('a method or path that would change the message is a programming error', () => {
  for (const path of ['', '/a b', '/a\r\nX: y', '/a\n', '/a#b', '/\xe9', '/\0']) {
    assert.throws(() => encodeRequestHead('GET', path, ''), TypeError);
  }
  assert.throws(() => encodeRequestHead('GET /admin', '/', ''), TypeError);
});

test('a chunk of no bytes, which would end the body, is a programming error', () => {
  assert.throws(() => encodeChunkHeader(0), RangeError);
  assert.equal(encodeChunkHeader(4096), '1000\r\n');
  assert.equal(encodeLastChunk(), '0\r\n\r\n');
});

test('a block made of pairs reads as one that was received', () => {
  const pairs: [string, string][] = [
    ['Host', 'a'],
    ['x-A', ''],
    ['Content-Length', '5'],
    ['X-a', 'b'],
  ];
  const block = HeaderBlock.of(pairs);
  assert.deepEqual(pairsOf(block), pairs);
  assert.deepEqual(block.getAll('x-a'), ['', 'b']);
  assert.equal(block.text(1, 3), 'x-A: \r\nContent-Length: 5\r\n');
  assert.equal(block.text(3, 3), '');
  assert.throws(() => HeaderBlock.of([['a', 'b\r\nc: d']]), TypeError);
});
