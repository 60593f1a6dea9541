/** Another strict parser as the judge: what this codec accepts, llhttp (through node:http) must read as the same request. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, METHODS, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { mutate, mutation, request } from './testMessages.ts';
import { requestEvents } from './testkit.ts';

interface Reading {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
}

/** This codec's reading, or null unless the bytes are exactly one request. */
function ours(text: string): Reading | null {
  const events = requestEvents(text);
  const [first] = events;
  const kinds = events.map((event) => event.kind).join(' ');
  if (first?.kind !== 'head' || !/^head( data)?( trailers)? end$/.test(kinds)) return null;
  const head = first.head as { readonly method: string; readonly target: string };
  const data = events.find((event) => event.kind === 'data');
  const trailers = events.find((event) => event.kind === 'trailers');
  return {
    method: head.method,
    target: head.target,
    headers: first.headers,
    body: data?.kind === 'data' ? data.text : '',
    trailers: trailers?.kind === 'trailers' ? trailers.headers : [],
  };
}

function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2] ?? '', raw[index * 2 + 1] ?? '']);
}

/** Raised, with another seed, for long runs: `RUNS=100000 SEED=$RANDOM`. */
const RUNS = Number(process.env['RUNS'] ?? (process.env['TORTURE'] === '1' ? 60_000 : 1_200));
const SEED = Number(process.env['SEED'] ?? 20_251_103);

let reading: Reading | string = 'nothing';

async function take(incoming: IncomingMessage): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer);
  reading = {
    method: incoming.method ?? '',
    target: incoming.url ?? '',
    headers: pairs(incoming.rawHeaders),
    body: Buffer.concat(pieces).toString('latin1'),
    trailers: pairs(incoming.rawTrailers),
  };
}

const server = createServer({ insecureHTTPParser: false }, (incoming, answer) => {
  take(incoming).then(
    () => answer.writeHead(200, { connection: 'close', 'content-length': '0' }).end(),
    () => answer.destroy(),
  );
});
server.on('checkExpectation', (incoming, answer) => server.emit('request', incoming, answer));
server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
  reading = error.code ?? error.message;
  socket.destroy();
});

/** The other parser's reading, or its error. */
async function theirs(text: string): Promise<Reading | string> {
  reading = 'nothing';
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const socket = connect(address.port, '127.0.0.1');
  // A refusal may reset the connection; what was read counts.
  socket.on('error', () => {});
  socket.resume();
  // Only where the other parser waits for more than this one did.
  socket.setTimeout(5_000, () => {
    reading = 'waits for more';
    socket.destroy();
  });
  socket.write(Buffer.from(text, 'latin1'));
  await once(socket, 'close');
  return reading;
}

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => server.close());

test('what is accepted, llhttp reads as the same request', async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(request, fc.array(mutation, { maxLength: 3 }), async (valid, mutations) => {
      const text = mutate(valid, mutations);
      const own = ours(text);
      // node:http knows no other methods than its own.
      if (own === null || !METHODS.includes(own.method)) return;
      compared++;
      assert.deepEqual(await theirs(text), own);
    }),
    { numRuns: RUNS, seed: SEED },
  );
  assert.ok(compared > RUNS / 6, `only ${compared} of the messages were accepted`);
});
