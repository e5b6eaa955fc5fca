import type { UploadProgress, UploadResult, UploadState, UploadWarning } from "hawser-client";
import type { Failure } from "./failure.ts";
import { isWatched } from "./output.ts";
import { BarDisplay } from "./put-bars.ts";
import { JsonDisplay } from "./put-json.ts";
import { LineDisplay } from "./put-lines.ts";

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
  /** @param file as the user wrote it @param name as the server is told */
  begin(file: string, name: string): FileDisplay;
  close(interrupted: boolean): void;
}

export interface DisplayOptions {
  readonly json: boolean;
  readonly publish: boolean;
  /** Meta's own service, which others than us publish on. */
  readonly isMeta: boolean;
  readonly fileCount: number;
}

/** Bars for people, lines for logs, objects for programs. */
export function openDisplay(options: DisplayOptions): PutDisplay {
  if (options.json) return new JsonDisplay();
  return isWatched() ? new BarDisplay(options) : new LineDisplay(options);
}
