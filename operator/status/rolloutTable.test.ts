import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { age, rolloutTable } from './rolloutTable.ts';

describe('the table of fleets', () => {
  it('is laid out as kubectl prints it', () => {
    const table = rolloutTable(
      [
        {
          name: 'edge',
          createdAtMs: 0,
          status: {
            phase: 'Progressing',
            summary: { stage: 'canary 1/3', candidate: '0123456789ab', stable: 'ba9876543210', proxies: '3/3' },
          },
        },
        { name: 'internal-edge', createdAtMs: 50_000, status: { phase: 'Healthy', summary: { proxies: '10/10' } } },
        { name: 'new', createdAtMs: 100_000, status: null },
      ],
      100_000,
    );
    assert.equal(
      table,
      [
        'NAME            PHASE         STAGE        CANDIDATE      STABLE         PROXIES   AGE',
        'edge            Progressing   canary 1/3   0123456789ab   ba9876543210   3/3       100s',
        'internal-edge   Healthy                                                  10/10     50s',
        'new                                                                                0s',
      ].join('\n'),
    );
  });

  it('rounds ages as kubectl does', () => {
    const second = 1_000;
    const minute = 60 * second;
    const hour = 60 * minute;
    const day = 24 * hour;
    for (const [ms, text] of [
      [-5 * second, '0s'],
      [119 * second, '119s'],
      [120 * second, '2m'],
      [3 * minute + 20 * second, '3m20s'],
      [10 * minute + 59 * second, '10m'],
      [179 * minute, '179m'],
      [3 * hour, '3h'],
      [7 * hour + 30 * minute, '7h30m'],
      [47 * hour, '47h'],
      [2 * day + 5 * hour, '2d5h'],
      [400 * day, '400d'],
    ] as const) {
      assert.equal(age(ms), text);
    }
  });
});
