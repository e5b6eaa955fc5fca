import type { UploadResult, UploadWarning } from "hawser-client";
import type { Failure } from "./failure.ts";
import { toJson } from "./failure.ts";
import { printJson } from "./output.ts";
import type { FileDisplay, PutDisplay } from "./put-display.ts";

/** One object a file on stdout when it has ended, and nothing else. */
export class JsonDisplay implements PutDisplay {
  begin(file: string, name: string): FileDisplay {
    const startedMs = performance.now();
    const warnings: UploadWarning[] = [];
    const tell = (outcome: object) => {
      const durationMs = Math.round(performance.now() - startedMs);
      printJson({ file, name, ...outcome, durationMs, warnings });
    };
    return {
      progress: () => undefined,
      state: () => undefined,
      warning: (warning) => warnings.push(warning),
      done: (result: UploadResult) => {
        tell(result);
      },
      failed: (failure: Failure) => {
        tell({ error: toJson(failure) });
      },
    };
  }

  close(): void {
    // Nothing is open.
  }
}
