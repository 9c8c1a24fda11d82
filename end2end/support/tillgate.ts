/** `tillgate dev` as a process: a shop and a sandbox of their own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BINARY = process.env['TILLGATE_BIN'] ?? path.join(ROOT, 'target/debug/tillgate');
const SITE = process.env['TILLGATE_SITE'] ?? path.join(ROOT, 'dist/site');
const LOGS = path.resolve(import.meta.dirname, '../artifacts/logs');

const START_WITHIN_MS = 30_000;
const END_WITHIN_MS = 10_000;

/** Where the two listen, as origins. */
export interface Addresses {
  readonly shop: string;
  readonly sandbox: string;
}

/** Who signs in at the merchant's pages. */
export interface Credentials {
  readonly merchant: string;
  readonly password: string;
}

/** A running shop. */
export class Tillgate {
  private constructor(
    readonly addresses: Addresses,
    readonly credentials: Credentials,
    private readonly process: ChildProcess,
    private readonly dir: string,
  ) {}

  /** Starts one on free ports, with everything generated into a new folder. `more` are further options. */
  static async start(name: string, ...more: readonly string[]): Promise<Tillgate> {
    const dir = await mkdtemp(path.join(tmpdir(), 'tillgate-end2end-'));
    const args = ['--listen', '127.0.0.1:0', '--sandbox-port', '0', '--dir', dir, '--site', SITE, ...more];
    const child = spawn(BINARY, ['dev', '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    mkdirSync(LOGS, { recursive: true });
    child.stderr.pipe(createWriteStream(path.join(LOGS, `${name}.log`)));
    const line = new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).once('line', resolve);
      child.once('error', (error) => reject(new Error(`${BINARY} does not start: ${error.message}`)));
      child.once('exit', (code) => reject(new Error(`${BINARY} ended with ${code}; see ${LOGS}/${name}.log`)));
      setTimeout(() => reject(new Error(`${BINARY} is not ready`)), START_WITHIN_MS).unref();
    });
    try {
      const { shop, sandbox, merchant, password } = JSON.parse(await line) as Addresses & Credentials;
      return new Tillgate({ shop, sandbox }, { merchant, password }, child, dir);
    } catch (error) {
      child.kill('SIGKILL');
      await rm(dir, { recursive: true, force: true });
      throw error;
    }
  }

  /** Asks it to end, and ends it if it does not. */
  async stop(): Promise<void> {
    const child = this.process;
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
      await ended;
      clearTimeout(kill);
    }
    await rm(this.dir, { recursive: true, force: true });
  }
}
