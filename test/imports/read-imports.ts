import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { type ParseOptions, parse } from '@swc/core';
import type { Import } from './import-rules.ts';

/**
 * What a file imports, types and what is loaded later included; without node built-ins.
 *
 * @param file its path from the project's folder
 */
export async function importsOf(file: string, source: string): Promise<Import[]> {
  const isTypescript = /\.tsx?$/.test(file);
  const syntax: ParseOptions = { syntax: isTypescript ? 'typescript' : 'ecmascript', target: 'es2024' };
  const module = await parse(source, syntax);
  return [...specifiersIn(module)].filter((name) => !isBuiltin(name)).map((name) => asImport(file, name));
}

/** A static import or export has a `source`, a dynamic import is a call of `Import`. */
function* specifiersIn(node: unknown): Generator<string> {
  if (typeof node !== 'object' || node === null) return;
  const { type, source, callee, arguments: args } = node as SyntaxNode;
  if (/^(Import|Export)/.test(type ?? '') && source?.type === 'StringLiteral') yield String(source.value);
  const [first] = type === 'CallExpression' && callee?.type === 'Import' ? (args ?? []) : [];
  if (first?.expression.type === 'StringLiteral') yield String(first.expression.value);
  for (const value of Object.values(node)) yield* specifiersIn(value);
}

type SyntaxNode = {
  type?: string;
  source?: { type: string; value?: unknown } | null;
  callee?: { type: string };
  arguments?: { expression: { type: string; value?: unknown } }[];
};

const isBuiltin = (name: string) => name.startsWith('node:') || builtinModules.includes(name);

function asImport(file: string, name: string): Import {
  const path = name.startsWith('.') ? posix.join(posix.dirname(file), name) : `node_modules/${name}`;
  const [folder, scopeOrName = '', rest] = path.split('/');
  if (folder !== 'node_modules') return { path };
  return { package: scopeOrName.startsWith('@') ? `${scopeOrName}/${rest}` : scopeOrName };
}
