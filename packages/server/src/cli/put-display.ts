import type { UploadProgress, UploadResult, UploadState, UploadWarning } from "hawser-client";
import type { Failure } from "./failure.ts";
import { isWatched } from "./output.ts";
import { BarDisplay } from "./put-bars.ts";
import { JsonDisplay } from "./put-json.ts";
import { LineDisplay } from "./put-lines.ts";
import { QuietDisplay } from "./put-quiet.ts";
import type { Tally } from "./put-tally.ts";

/** A file of the command, as it is told. */
export interface ShownFile {
  /** As the user wrote it, or its path when it was found in a folder; `-` for standard input. */
  readonly file: string;
  /** What it is called in lines for people. */
  readonly label: string;
  /** What the server is told. */
  readonly name: string;
}

/** What the user sees of one file. */
export interface FileDisplay {
  readonly progress: (progress: UploadProgress) => void;
  readonly state: (state: UploadState) => void;
  readonly warning: (warning: UploadWarning) => void;
  readonly done: (result: UploadResult) => void;
  readonly failed: (failure: Failure) => void;
}

/** What the user sees of the whole command. */
export interface PutDisplay {
  begin(file: ShownFile): FileDisplay;
  /** Something that was found and is not uploaded. */
  skipped(file: string, reason: string): void;
  /** Something to know before it takes its time. */
  note(line: string): void;
  close(tally: Tally, interrupted: boolean): void;
}

export interface DisplayOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly publish: boolean;
  /** Meta's own service, which others than us publish on. */
  readonly isMeta: boolean;
}

/** Bars for people, lines for logs, objects for programs, next to nothing when asked. */
export function openDisplay(options: DisplayOptions): PutDisplay {
  if (options.json) return new JsonDisplay(options.quiet);
  if (options.quiet) return new QuietDisplay();
  return isWatched() ? new BarDisplay(options) : new LineDisplay(options);
}
