import type { FullResult, Reporter, TestCase, TestResult } from '@playwright/test/reporter';

interface Sum {
  tests: number;
  seconds: number;
}

/** Ends the run with how much of the time each project took, and one line that says how it went. */
export default class ClosingLine implements Reporter {
  readonly #outcomes = new Map<string, number>();
  readonly #projects = new Map<string, Sum>();

  onTestEnd(test: TestCase, result: TestResult): void {
    const outcome = result.status === test.expectedStatus || result.status === 'skipped' ? result.status : 'failed';
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    const name = test.parent.project()?.name ?? '';
    const sum = this.#projects.get(name) ?? { tests: 0, seconds: 0 };
    this.#projects.set(name, { tests: sum.tests + 1, seconds: sum.seconds + result.duration / 1000 });
  }

  onEnd(result: FullResult): void {
    for (const [name, { tests, seconds }] of this.#projects) {
      console.log(`  ${name}: ${tests} tests, ${seconds.toFixed(0)} s of worker time`);
    }
    const counts = [...this.#outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
    console.log(`end2end ${result.status}: ${counts || 'no tests'} in ${(result.duration / 1000).toFixed(0)} s`);
  }
}
