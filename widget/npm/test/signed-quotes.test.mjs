// The examples that sign a quote agree with the server, which holds itself to the same vector.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

const FOLDER = resolve(import.meta.dirname, '../../../examples/signed-quote');
const DOCS = readFileSync(resolve(import.meta.dirname, '../../../docs/signed-quotes.md'), 'utf8');
const QUOTE_SECRET = 'this-secret-is-public-and-only-for-tillgate-dev';
const PROGRAMS = { 'node.mjs': 'node', 'quote.php': 'php', 'quote.py': 'python3' };

const [, payload, quote] = /```\n(\{"id".*\})\n\n(v1\.dev\.\S+)\n```/.exec(DOCS) ?? assert.fail('docs/signed-quotes.md has no vector');

for (const [file, program] of Object.entries(PROGRAMS)) {
  test(`${file} signs the documented vector`, () => {
    assert.equal(sign(program, file, payload), quote);
  });
  test(`${file} keeps letters beyond ASCII`, () => {
    const text = readFileSync(resolve(FOLDER, 'quote.json'), 'utf8');
    const [, , signed] = sign(program, file, text).split('.');
    assert.deepEqual(JSON.parse(Buffer.from(signed, 'base64url').toString()), JSON.parse(text));
  });
}

function sign(program, file, input) {
  return execFileSync(program, [resolve(FOLDER, file), 'dev'], { input, env: { ...process.env, QUOTE_SECRET }, encoding: 'utf8' }).trim();
}
