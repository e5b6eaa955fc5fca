import { UploadError } from "../errors.ts";

/** Says when what is expected next has not come in its time. Expects one thing at a time. */
export class StallWatch {
  readonly #onStall: (error: UploadError) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onStall: (error: UploadError) => void) {
    this.#onStall = onStall;
  }

  /** From now on, in place of what was expected before. `lack` is what to say if it does not come. */
  expect(patienceMs: number, lack: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#onStall(new UploadError("stalled", `${lack} for ${patienceMs} ms`));
    }, patienceMs);
  }

  /** Expects nothing more. */
  rest(): void {
    clearTimeout(this.#timer);
  }
}
