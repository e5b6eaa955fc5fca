import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { TestModule, TestRunEndReason } from "vitest/node";

/** What became of a run of a suite in a process of its own. */
export interface SuiteReport {
  readonly passed: number;
  /** Each case, or file that could not be run, with what it said. */
  readonly failed: readonly string[];
  /** The cases among them by name: the file, what the case stands in, its title. */
  readonly failedCases: readonly string[];
  /** The reasons of all that was skipped. */
  readonly skipped: readonly string[];
  readonly end: TestRunEndReason;
}

/**
 * Writes the report to the file that HAWSER_SUITE_REPORT names. The JSON reporter that comes with
 * Vitest leaves out why a case was skipped.
 */
export default class SuiteReporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandled: readonly { readonly message: string }[],
    end: TestRunEndReason,
  ): void {
    const file = process.env.HAWSER_SUITE_REPORT;
    if (file === undefined) throw new Error("HAWSER_SUITE_REPORT must name a file");
    const failed = unhandled.map(({ message }) => `outside of a case: ${message}`);
    const failedCases: string[] = [];
    const skipped: string[] = [];
    let passed = 0;
    for (const module of modules) {
      const errors = module.errors().map(({ message }) => `${module.relativeModuleId}: ${message}`);
      failed.push(...errors);
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") passed += 1;
        else if (result.state === "skipped") skipped.push(result.note ?? "no reason given");
        else {
          failed.push(`${test.fullName}: ${saidBy(result.errors ?? [])}`);
          failedCases.push(`${basename(module.moduleId)} > ${test.fullName}`);
        }
      }
    }
    const report: SuiteReport = { passed, failed, failedCases, skipped, end };
    writeFileSync(file, JSON.stringify(report));
  }
}

function saidBy(errors: readonly { readonly message: string }[]): string {
  return errors.length === 0 ? "it did not end" : errors.map(({ message }) => message).join("\n");
}
