/**
 * TypeScript source as text without its comments and strings, for checks that look at tokens only.
 * (TypeScript 7 has no stable compiler API, and these checks need no tree.)
 */

export interface MaskedSource {
  /** The source with the same lines: comments are blanks, each string literal is `"#n"`. Regular expressions are `/ /`. */
  readonly code: string;
  /** Contents of the n-th string literal. Templates with substitutions are no literals. */
  readonly strings: readonly string[];
}

/** After these words a slash starts a regular expression, not a division. */
const WORDS_BEFORE_REGEX =
  /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|await|yield|throw|new|instanceof)$/;

/** Blank text with the same line breaks, so that line numbers stay. */
function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

function slashStartsRegex(codeBefore: string): boolean {
  const before = codeBefore.trimEnd();
  if (before === '') return true;
  return !/[\w$)\]}"'`]$/.test(before) || WORDS_BEFORE_REGEX.test(before.slice(-12));
}

/** End of a quoted string (past the quote) that starts at `start`. */
function endOfQuoted(text: string, start: number): number {
  const quote = text[start];
  let at = start + 1;
  while (at < text.length && text[at] !== quote && text[at] !== '\n') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfRegex(text: string, start: number): number {
  let inClass = false;
  let at = start + 1;
  for (; at < text.length && text[at] !== '\n'; at += 1) {
    const char = text[at];
    if (char === '\\') at += 1;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) break;
  }
  return at + 1;
}

/** Masks one source; never throws: unclosed literals end with their line or the file. */
export function maskSource(text: string): MaskedSource {
  const strings: string[] = [];
  /** Depth of braces at which each open template's substitution ends. */
  const templates: number[] = [];
  let code = '';
  let braces = 0;
  let at = 0;

  /** Skips template text from `at` to the closing backtick or the next substitution. */
  const skipTemplateText = (): void => {
    const start = at;
    while (at < text.length && text[at] !== '`' && !text.startsWith('${', at)) at += text[at] === '\\' ? 2 : 1;
    code += blank(text.slice(start, at));
    if (text[at] === '`') {
      code += '`';
      at += 1;
      return;
    }
    if (at >= text.length) return;
    code += '${';
    at += 2;
    templates.push(braces);
    braces += 1;
  };

  while (at < text.length) {
    const char = text[at] ?? '';
    const start = at;
    if (text.startsWith('//', at)) {
      at = text.indexOf('\n', at) < 0 ? text.length : text.indexOf('\n', at);
      code += blank(text.slice(start, at));
    } else if (text.startsWith('/*', at)) {
      at = text.indexOf('*/', at + 2) < 0 ? text.length : text.indexOf('*/', at + 2) + 2;
      code += blank(text.slice(start, at));
    } else if (char === '"' || char === "'") {
      at = endOfQuoted(text, at);
      code += `"#${strings.length}"${blank(text.slice(start, at)).replaceAll(' ', '')}`;
      strings.push(text.slice(start + 1, at - 1));
    } else if (char === '`') {
      code += char;
      at += 1;
      skipTemplateText();
    } else if (char === '/' && slashStartsRegex(code)) {
      at = endOfRegex(text, at);
      code += '/ /';
    } else {
      at += 1;
      code += char;
      if (char === '{') braces += 1;
      if (char !== '}') continue;
      braces -= 1;
      if (templates.at(-1) !== braces) continue;
      templates.pop();
      skipTemplateText();
    }
  }
  return { code, strings };
}

export interface ImportRef {
  /** The specifier as written. */
  readonly specifier: string;
  readonly line: number;
  /** What is between `import` or `export` and the specifier: `{ a, type B } from`. */
  readonly clause: string;
}

const IMPORTS = [
  // import x from "…", import type …, export … from "…"
  /\b(?:import|export)\s+(?<clause>[\w$*{][^;"'`=()]*?\bfrom)\s*"#(?<index>\d+)"/g,
  // import "…" for its side effects
  /\bimport\s*"#(?<index>\d+)"/g,
  // import("…"), also as a type
  /\bimport\s*\(\s*"#(?<index>\d+)"/g,
  // new URL("…", import.meta.url): how a worker's file is named
  /\bnew\s+URL\(\s*"#(?<index>\d+)"\s*,\s*import\.meta\.url/g,
  /\brequire\(\s*"#(?<index>\d+)"/g,
];

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** All files and packages that a masked source names, in order of their lines. */
export function importsOf(source: MaskedSource): ImportRef[] {
  const found: ImportRef[] = [];
  for (const pattern of IMPORTS) {
    for (const match of source.code.matchAll(pattern)) {
      const specifier = source.strings[Number(match.groups?.['index'])] ?? '';
      found.push({ specifier, line: lineAt(source.code, match.index), clause: match.groups?.['clause'] ?? '' });
    }
  }
  return found.toSorted((a, b) => a.line - b.line);
}

/** Lines of imports whose file is computed: they hide who imports whom. */
export function computedImports(source: MaskedSource): number[] {
  return [...source.code.matchAll(/\b(?:import|require)\s*\(\s*(?!"#\d+"\s*[,)])\S/g)].map((m) =>
    lineAt(source.code, m.index),
  );
}
