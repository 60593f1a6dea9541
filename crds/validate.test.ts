import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { API_VERSION } from './kind.ts';
import { KINDS, type Kind } from './kinds.ts';
import { checkObject } from './validate.ts';

interface Case {
  readonly title: string;
  readonly spec: unknown;
  readonly expect?: readonly string[];
}

function casesOf(kind: Kind): readonly Case[] {
  return parse(readFileSync(join(import.meta.dirname, 'fixtures', `${kind}.yaml`), 'utf8')) as Case[];
}

function objectWith(kind: Kind, spec: unknown) {
  return { apiVersion: API_VERSION, kind, metadata: { name: 'web', namespace: 'shop' }, spec };
}

for (const kind of Object.keys(KINDS) as Kind[]) {
  describe(kind, () => {
    for (const { title, spec, expect = [] } of casesOf(kind)) {
      test(title, () => {
        const found = checkObject(kind, objectWith(kind, spec)).map(({ path, reason }) => `${path} ${reason}`);
        assert.deepEqual(found.toSorted(), expect.toSorted());
      });
    }

    test('every rule between fields has a case that breaks it', () => {
      const messages = new Set(
        casesOf(kind).flatMap(({ spec }) =>
          checkObject(kind, objectWith(kind, spec)).map(
            ({ path, message }) => `${path.replaceAll(/\[[0-9]+\]/g, '[]')}: ${message}`,
          ),
        ),
      );
      for (const { at, field = '', message } of KINDS[kind].rules)
        assert.ok(messages.has(`${at}${field}: ${message}`), `${at}: ${message}`);
    });
  });
}
