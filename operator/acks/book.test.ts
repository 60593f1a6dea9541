import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listLogger, memberOf } from '../control/testkit.ts';
import { AckBook } from './book.ts';
import type { MemberAddress, PolledMember } from './poller.ts';

const ADDRESSES: readonly MemberAddress[] = [
  { podUid: 'a', fleet: 'edge/main', url: 'https://a:1' },
  { podUid: 'b', fleet: 'edge/other', url: 'https://b:1' },
];

/** A book whose polls are made by hand. */
function bookOf() {
  const { lines, logger } = listLogger();
  let answers: readonly PolledMember[] = [];
  let next: () => void = () => undefined;
  const timer = setTimeout(() => undefined, 0);
  const book = new AckBook({
    addresses: () => ADDRESSES,
    poll: async () => Promise.resolve(answers),
    onPolled: () => undefined,
    setTimer: (run) => {
      next = run;
      return timer;
    },
    logger,
  });
  let isStarted = false;
  const poll = async (polled: readonly PolledMember[]) => {
    answers = polled;
    if (isStarted) next();
    else book.start();
    isStarted = true;
    await new Promise(setImmediate);
  };
  return { book, poll, lines };
}

const silent = (podUid: string, problem = 'refused'): PolledMember => ({ podUid, ack: null, seenAtMs: 0, problem });
const answers = (podUid: string, fleet: string): PolledMember => {
  const { ack } = memberOf(podUid, { fleet });
  return { podUid, ack, seenAtMs: 1, problem: null };
};

describe('the proxies of a fleet', () => {
  test('are not known before the first poll', () => {
    assert.equal(bookOf().book.membersOf('edge/main'), null);
  });

  test('are those that are listed for it, whether or not they ever answered', async () => {
    const { book, poll } = bookOf();
    await poll([silent('a'), silent('b')]);
    assert.deepEqual(
      book.membersOf('edge/other')?.map(({ podUid, ack }) => [podUid, ack]),
      [['b', null]],
    );
  });

  test('one that answers for another fleet is unknown', async () => {
    const { book, poll, lines } = bookOf();
    await poll([answers('a', 'edge/main'), answers('b', 'edge/main')]);
    assert.deepEqual(
      book.membersOf('edge/main')?.map(({ podUid }) => podUid),
      ['a'],
    );
    assert.deepEqual(
      book.membersOf('edge/other')?.map(({ ack, lastSeenMs }) => [ack, lastSeenMs]),
      [[null, null]],
    );
    assert.deepEqual(lines, ['warn: proxy is unknown']);
  });

  test('why one is unknown is logged once, until it answers', async () => {
    const { poll, lines } = bookOf();
    const fine = answers('a', 'edge/main');
    await poll([fine, silent('b')]);
    await poll([fine, silent('b')]);
    await poll([fine, answers('b', 'edge/other')]);
    assert.deepEqual(lines, ['warn: proxy is unknown', 'info: proxy answers again']);
  });
});
