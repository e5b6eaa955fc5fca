import { UploadError } from "../errors.ts";

/** Says when what is expected next has not come in its time. Expects one thing at a time. */
export interface StallWatch {
  /** From now on, in place of what was expected before. `lack` is what to say if it does not come. */
  expect(patienceMs: number, lack: string): void;
  /** Expects nothing more. */
  rest(): void;
}

export function watchForStall(onStall: (error: UploadError) => void): StallWatch {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const rest = () => {
    clearTimeout(timer);
  };
  const expect = (patienceMs: number, lack: string) => {
    rest();
    timer = setTimeout(() => {
      onStall(new UploadError("stalled", `${lack} for ${patienceMs} ms`));
    }, patienceMs);
  };
  return { expect, rest };
}
