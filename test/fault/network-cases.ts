import type { SeededRandom } from "../support/seeded.ts";
import type { DirectionFaults, FaultKind } from "../support/tcp-proxy.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

/** Where in a request its connection fails: so far into its head, or after bytes of its body. */
export type Place =
  | { readonly part: "head"; readonly fraction: number }
  | { readonly part: "body"; readonly bytes: number };

export interface RequestFault {
  readonly place?: Place;
  readonly kind?: FaultKind;
  readonly pace?: Pick<DirectionFaults, "delayMs" | "sliceLength">;
  /** After a stall the client is gone without a word, and the server is not told. */
  readonly vanish?: true;
  readonly answer?: DirectionFaults;
}

export interface NetworkCase {
  readonly name: string;
  readonly length: number;
  /** One after the other, each on a connection of its own; then the rest without any. */
  readonly faults: readonly RequestFault[];
}

export const faultKinds: readonly FaultKind[] = ["close", "reset", "half-close", "stall"];

/** What the server gathers, writes and makes durable in one go; cut on each and around it. */
const boundaries = [64 * KiB, 128 * KiB, 1 * MiB, 2 * MiB, 8 * MiB];
const headFractions = [0, 0.01, 0.1, 0.3, 0.6, 0.9, 0.99, 1];
const smallPlaces = [0, 1, 2, 4095, 4096, 4097, 16 * KiB - 1, 16 * KiB, 16 * KiB + 1];

function cut(bytes: number, length: number): NetworkCase[] {
  const place: Place = { part: "body", bytes };
  return faultKinds.map((kind) => ({
    name: `${kind} after ${bytes} of ${length}`,
    length,
    faults: [{ place, kind }],
  }));
}

function headCuts(): NetworkCase[] {
  return headFractions.flatMap((fraction) =>
    faultKinds.map((kind) => ({
      name: `${kind} ${fraction * 100} % into the head`,
      length: 70 * KiB,
      faults: [{ place: { part: "head", fraction }, kind }],
    })),
  );
}

function bodyCuts(): NetworkCase[] {
  const near = boundaries.flatMap((boundary) =>
    [-2, -1, 0, 1, 2].flatMap((step) => cut(boundary + step, boundary + 100 * KiB + 3)),
  );
  const small = smallPlaces.flatMap((bytes) => cut(bytes, 100 * KiB + 1));
  // Whole uploads that live in the catalog, and the last byte of one that does not.
  const last = [1, 2, 5000, 16 * KiB, 16 * KiB + 1, MiB, 8 * MiB + 1].flatMap((length) =>
    [length - 1, length].flatMap((bytes) => cut(bytes, length)),
  );
  return [...small, ...near, ...last];
}

function lostAnswers(): NetworkCase[] {
  return [9000, 300 * KiB].flatMap((length) =>
    [0, 1, 17, 120].flatMap((afterBytes) =>
      faultKinds.map((fault) => ({
        name: `answer to ${length} bytes: ${fault} after ${afterBytes}`,
        length,
        faults: [{ answer: { afterBytes, fault } }],
      })),
    ),
  );
}

/** The client's machine is gone: no FIN, no reset, only silence. */
function vanishedClients(): NetworkCase[] {
  return [0, 1, 5000, 64 * KiB, MiB + 1].map((bytes) => ({
    name: `client vanishes after ${bytes}`,
    length: bytes + 200 * KiB,
    faults: [{ place: { part: "body", bytes }, kind: "stall", vanish: true }],
  }));
}

function slowLines(): NetworkCase[] {
  const paces = [
    { length: 1, pace: { sliceLength: 1 } },
    { length: 3000, pace: { sliceLength: 1 } },
    { length: 20_000, pace: { sliceLength: 7 } },
    { length: 300 * KiB, pace: { sliceLength: 16 * KiB, delayMs: 3 } },
    { length: 3 * MiB, pace: { sliceLength: 100 * KiB, delayMs: 1 } },
  ];
  return paces.map(({ length, pace }) => ({
    name: `${length} bytes in slices of ${pace.sliceLength}`,
    length,
    faults: [{ pace, answer: pace }],
  }));
}

/** Every class of place with every kind of fault. */
export function everyBoundary(): NetworkCase[] {
  return [...headCuts(), ...bodyCuts(), ...lostAnswers(), ...vanishedClients(), ...slowLines()];
}

/** One to three faults at random places of an upload of random length. */
export function randomCase(random: SeededRandom): NetworkCase {
  const length = random.integer(1, random.pick([20 * KiB, 400 * KiB, 3 * MiB, 10 * MiB]));
  const faults = Array.from({ length: random.integer(1, 3) }, (): RequestFault => {
    const kind = random.pick(faultKinds);
    const bytes = random.integer(0, length);
    const sliceLength = random.pick([1 << 10, 1 << 14, 1 << 16]);
    return { place: { part: "body", bytes }, kind, pace: { sliceLength } };
  });
  return { name: `random: ${JSON.stringify({ length, faults })}`, length, faults };
}
