import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Namespaces } from '../../crds/shared.ts';
import { allowsNamespace } from './namespaces.ts';

function allowed(rule: Namespaces, labels: Record<string, string> = {}, namespace = 'shop'): boolean {
  return allowsNamespace(rule, 'edge', namespace, labels);
}

test('without a rule only the own namespace is allowed', () => {
  assert.equal(allowed({}), false);
  assert.equal(allowed({}, {}, 'edge'), true);
  assert.equal(allowed({ from: 'Same' }), false);
});

test('All allows every namespace', () => {
  assert.equal(allowed({ from: 'All' }), true);
});

test('a selector needs all its labels', () => {
  const rule: Namespaces = { from: 'Selector', selector: { matchLabels: { a: '1', b: '2' } } };
  assert.equal(allowed(rule, { a: '1', b: '2', c: '3' }), true);
  assert.equal(allowed(rule, { a: '1' }), false);
  assert.equal(allowed(rule, { a: '1', b: '3' }), false);
});

test('expressions compare as Kubernetes does', () => {
  const holds = (
    operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
    values: string[],
    labels: Record<string, string>,
  ) => allowed({ from: 'Selector', selector: { matchExpressions: [{ key: 'tier', operator, values }] } }, labels);
  assert.equal(holds('In', ['a', 'b'], { tier: 'b' }), true);
  assert.equal(holds('In', ['a'], {}), false);
  assert.equal(holds('NotIn', ['a'], {}), true);
  assert.equal(holds('NotIn', ['a'], { tier: 'a' }), false);
  assert.equal(holds('Exists', [], { tier: '' }), true);
  assert.equal(holds('DoesNotExist', [], { tier: '' }), false);
});

test('every namespace has its name as a label, which its own labels cannot forge', () => {
  const rule: Namespaces = { from: 'Selector', selector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } } };
  assert.equal(allowed(rule), true);
  assert.equal(allowed(rule, { 'kubernetes.io/metadata.name': 'shop' }, 'other'), false);
});

test('labels named like parts of every object are labels', () => {
  assert.equal(
    allowed({ from: 'Selector', selector: { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] } }),
    false,
  );
});
