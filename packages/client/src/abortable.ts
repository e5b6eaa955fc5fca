import { UploadError } from "./errors.ts";

/** The signal's reason as an `UploadError`; `aborted` unless it says otherwise. */
export function abortedBy(signal: AbortSignal): UploadError {
  const cause: unknown = signal.reason;
  return cause instanceof UploadError ? cause : new UploadError("aborted", "stopped", { cause });
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortedBy(signal);
}

/** What `pending` comes to; rejects as soon as the signal is aborted, whatever `pending` does. */
export async function abortable<T>(pending: PromiseLike<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return await pending;
  const stopped = Promise.withResolvers<never>();
  const stop = () => {
    stopped.reject(abortedBy(signal));
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([pending, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
