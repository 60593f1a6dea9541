/** What a line-by-line look finds and the linter does not: left-over marks, unexplained exceptions, machine paths. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listFiles } from './source-files.ts';
import { lineAt, maskSource } from './source-text.ts';

/** Checked as text. Lockfile and licence are written by others. */
const TEXT_FILE = /(\.(ts|mjs|json|jsonc|yaml|yml|md|sh|tpl)|(^|\/)(Makefile|Dockerfile|run|\.[a-z]+(rc|ignore)))$/;
const NOT_OURS = new Set(['package-lock.json', 'LICENSE']);

/** Longest file of any kind; the linter counts TypeScript itself. Generated files end elsewhere. */
const MAX_LINES = 450;
const GENERATED =
  /^(docs\/reference\/|docs\/(CONFIG|ERRORS|LIMITS|METRICS)\.md$|charts\/|test\/golden\/|configs\/schema\/)/;

interface LineRule {
  readonly pattern: RegExp;
  readonly message: string;
  /** Files that it looks at; all text files when absent. */
  readonly files?: RegExp;
}

const LINE_RULES: readonly LineRule[] = [
  {
    // Written in two parts, so that this file passes its own check.
    pattern: new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`),
    message: 'left-over mark: do it now, or write it into an issue',
  },
  {
    pattern: /(?<![\w.:/])\/(home|Users|root|work|workspace)\/[\w.-]/,
    message: 'path of one machine: use a path inside the repository',
  },
  { pattern: /\b[A-Z]:\\Users\\/, message: 'path of one machine: use a path inside the repository' },
  {
    pattern: /(oxlint|eslint)-disable(?!.*\s--\s+\S)/,
    message: 'a lint rule is switched off without a reason: append " -- why"',
    files: /\.(ts|mjs)$/,
  },
  {
    pattern: /@ts-(ignore|nocheck)|@ts-expect-error(?!\s*:?\s*\S{3,})/,
    message: 'the type checker is silenced: use @ts-expect-error with the reason behind it',
    files: /\.ts$/,
  },
  {
    pattern: /prettier[-]ignore(?!.*\s--\s+\S)/,
    message: 'formatting is off without a reason: append " -- why"',
    files: /\.(ts|mjs)$/,
  },
];

interface CodeRule {
  readonly pattern: RegExp;
  readonly message: string;
  /** A comment on the line, or alone on the line above, makes it acceptable. */
  readonly acceptsReason: boolean;
  readonly testsOnly: boolean;
}

const CODE_RULES: readonly CodeRule[] = [
  {
    pattern: /\bas\s+unknown\s+as\b/g,
    message: 'double cast without a reason: say in a comment on the line or above it why it holds',
    acceptsReason: true,
    testsOnly: false,
  },
  {
    pattern:
      /\b(test|it|describe|suite)\s*\.\s*(only|skip|todo)\b|\bt\s*\.\s*(skip|todo)\s*\(|\b(only|skip|todo)\s*:\s*(true|"#)/g,
    message: 'a test that is left out, or that leaves the others out',
    acceptsReason: false,
    testsOnly: true,
  },
];

const COMMENT_ALONE = /^\s*(\/\/|\/\*|\*)/;
const COMMENT_BESIDE = /\S\s+\/\/\s*\S/;

function hasReason(lines: readonly string[], lineNumber: number): boolean {
  return COMMENT_BESIDE.test(lines[lineNumber - 1] ?? '') || COMMENT_ALONE.test(lines[lineNumber - 2] ?? '');
}

function checkCode(file: string, text: string): string[] {
  if (!file.endsWith('.ts')) return [];
  const lines = text.split('\n');
  const { code } = maskSource(text);
  const findings: string[] = [];
  for (const rule of CODE_RULES) {
    if (rule.testsOnly && !file.endsWith('.test.ts')) continue;
    for (const match of code.matchAll(rule.pattern)) {
      const line = lineAt(code, match.index);
      if (!(rule.acceptsReason && hasReason(lines, line))) findings.push(`${file}:${line} ${rule.message}`);
    }
  }
  return findings;
}

function checkLines(file: string, text: string): string[] {
  const findings: string[] = [];
  const lines = text.split('\n');
  if (lines.length > MAX_LINES + 1 && !GENERATED.test(file)) {
    findings.push(`${file}: ${lines.length - 1} lines, over ${MAX_LINES}: split it by responsibility`);
  }
  for (const rule of LINE_RULES) {
    if (rule.files?.test(file) === false) continue;
    for (const [index, line] of lines.entries()) {
      if (rule.pattern.test(line)) findings.push(`${file}:${index + 1} ${rule.message}`);
    }
  }
  return findings;
}

/** All findings in the tree at `root`, one line each. */
export function checkTidy(root: string): string[] {
  return listFiles(root)
    .filter((file) => TEXT_FILE.test(file) && !NOT_OURS.has(file))
    .flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return [...checkLines(file, text), ...checkCode(file, text)];
    });
}
