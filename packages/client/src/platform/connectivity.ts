import { abortable } from "../abortable.ts";

/** What the machine itself knows of its network. */
export interface Connectivity {
  /** False only when the machine says that it has no network. */
  isOnline(): boolean;
  /**
   * Resolves when the network next comes back: not at once, even when it is there. Rejects when the
   * signal is aborted.
   */
  untilOnline(signal: AbortSignal): Promise<unknown>;
}

/** Node is not told of its network: only trying shows it. */
export const alwaysOnline: Connectivity = {
  isOnline: () => true,
  untilOnline: (signal: AbortSignal) => abortable(new Promise<never>(() => undefined), signal),
};

/** A browser's window or worker, as far as it is needed. */
export interface OnlineScope extends Pick<EventTarget, "addEventListener"> {
  readonly navigator: { readonly onLine?: boolean | undefined };
}

/** `navigator.onLine` and the `online` event of `scope`, which is `globalThis` in a browser. */
export function browserConnectivity(scope: OnlineScope): Connectivity {
  return {
    isOnline: () => scope.navigator.onLine ?? true,
    untilOnline: (signal) => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      scope.addEventListener("online", resolve, { once: true, signal });
      return abortable(promise, signal);
    },
  };
}
