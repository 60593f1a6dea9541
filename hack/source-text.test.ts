import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computedImports, importsOf, maskSource } from './source-text.ts';

const specifiers = (text: string): string[] => importsOf(maskSource(text)).map((ref) => ref.specifier);

test('every form of import is seen', () => {
  const text = [
    `import a from 'a';`,
    `import { b, type B } from "b";`,
    `import type { C } from 'c';`,
    `import * as d from 'd';`,
    `import e, { f } from 'e';`,
    `import 'g';`,
    `export * from 'h';`,
    `export { i } from 'i';`,
    `const j = await import('j');`,
    `type K = import('k').K;`,
    `new Worker(new URL('./l.ts', import.meta.url));`,
    `const m = require('m');`,
    `import n from 'n' with { type: 'json' };`,
  ].join('\n');
  assert.deepEqual(specifiers(text), ['a', 'b', 'c', 'd', 'e', 'g', 'h', 'i', 'j', 'k', './l.ts', 'm', 'n']);
});

test('an import without a semicolon does not swallow the next one', () => {
  assert.deepEqual(specifiers(`export const a = 1\nimport b from 'b'\nexport { c }\nimport d from 'd'\n`), ['b', 'd']);
});

test('comments, strings, templates and regular expressions hide what they contain', () => {
  const hidden = [
    `// import 'a'`,
    `/* import 'b'`,
    `   import 'c' */`,
    `const d = "import 'd'";`,
    'const e = `import "e" ${"import \'f\'"} import "g"`;',
    `const h = /import 'h'[/"]/.test(x) ? 1 / 2 : 3;`,
    `const i = 'it\\'s import "i"';`,
  ].join('\n');
  assert.deepEqual(specifiers(`${hidden}\nimport 'z';`), ['z']);
});

test('code inside a template is seen, also when templates are nested', () => {
  const text = 'const a = `x ${ { b: `y ${ import("c") } z` }.b } w`;\nimport "d";';
  assert.deepEqual(specifiers(text), ['c', 'd']);
});

test('a slash after a value divides, and starts a regular expression elsewhere', () => {
  assert.deepEqual(specifiers(`const a = b / 2; const c = '/';\nimport 'd';`), ['d']);
  assert.deepEqual(specifiers(`const a = f(x) / 2; const c = list[0] / "1";\nimport 'd';`), ['d']);
  assert.deepEqual(specifiers(`function a() { return /'/; }\nimport 'd';`), ['d']);
});

test('lines keep their numbers', () => {
  const text = '/* one\ntwo */ const a = `three\nfour`;\nconst b = "\\\n";\nimport "c";';
  assert.deepEqual(importsOf(maskSource(text)), [{ specifier: 'c', line: 6, clause: '' }]);
});

test('an import whose name is computed is seen, one that is written out is not', () => {
  assert.deepEqual(
    computedImports(maskSource('import("a");\nimport(b);\nimport(`c`);\nimport("d" + e);\n')),
    [2, 3, 4],
  );
});

test('an unclosed literal ends without an error', () => {
  for (const text of ['"a', '`a', '`a ${b', '/* a', '/a', '// a', '`\\'])
    assert.ok(maskSource(text).code.length > 0, text);
});
