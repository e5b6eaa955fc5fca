import type { HostileFault, HostileRoute } from "../support/hostile-proxy.ts";
import type { SeededRandom } from "../support/seeded.ts";
import type { ConnectionFaults, FaultKind } from "../support/tcp-proxy.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

/** For each kind of request, what happens to the first, the second and so on; then nothing. */
export type RouteFaults = Partial<Record<HostileRoute, readonly (HostileFault | undefined)[]>>;

/**
 * How a run must end: `whole` is byte-equal, `contradiction` with that error because an offset was
 * told that cannot be true, `either` whole or with any clear error.
 */
export type ClientEnd = "whole" | "contradiction" | "either";

export interface ClientCase {
  readonly name: string;
  readonly length: number;
  readonly chunkSize?: number;
  readonly faults: RouteFaults;
  /** For one connection after the other; then none. */
  readonly line?: readonly ConnectionFaults[];
  readonly ends: ClientEnd;
}

const lineKinds: readonly FaultKind[] = ["close", "reset", "half-close", "stall"];
const statuses = [408, 429, 500, 502, 503, 504, 507];
const routes: readonly HostileRoute[] = ["start", "append", "ask"];
const around = (bytes: number): number[] => [bytes - 1, bytes, bytes + 1];
const boundaries = [4 * KiB, 16 * KiB, 64 * KiB, 128 * KiB, MiB, 2 * MiB].flatMap(around);

function breaksAfter(bytes: number): HostileFault[] {
  return [
    { kind: "cut", bytes, how: "close" },
    { kind: "cut", bytes, how: "reset" },
    { kind: "stall", bytes },
  ];
}

function bodyCuts(): ClientCase[] {
  const inside = [0, 1, 2, ...boundaries].map((bytes) => ({ bytes, length: bytes + 100_003 }));
  const last = [1, 2, 5000, 16 * KiB, 16 * KiB + 1, MiB].flatMap((length) =>
    [length - 1, length].map((bytes) => ({ bytes, length })),
  );
  return [...inside, ...last].flatMap(({ bytes, length }) =>
    breaksAfter(bytes).map((fault): ClientCase => {
      const how = fault.kind === "cut" ? fault.how : fault.kind;
      const name = `${how} after ${bytes} of ${length} bytes`;
      return { name, length, faults: { append: [fault] }, ends: "whole" };
    }),
  );
}

/** Who is told that half a request is all may call it a bad one, which is final and no lie. */
function endOf(towardsServer: FaultKind): ClientEnd {
  return towardsServer === "half-close" ? "either" : "whole";
}

function lineCuts(): ClientCase[] {
  const toServer = [0, 1, 17, 100, 200, 300, 400, 500, 600, 700, 1000, 5000, 70_000];
  const toClient = [0, 1, 17, 120, 200, 300, 400];
  return lineKinds.flatMap((fault) => [
    ...toServer.map((afterBytes): ClientCase => {
      const name = `the line to the server: ${fault} after ${afterBytes}`;
      const line = [{ toServer: { afterBytes, fault } }];
      return { name, length: 100_001, faults: {}, line, ends: endOf(fault) };
    }),
    ...toClient.map((afterBytes): ClientCase => {
      const name = `the line to the client: ${fault} after ${afterBytes}`;
      const line = [{ toClient: { afterBytes, fault } }];
      return { name, length: 100_001, faults: {}, line, ends: "whole" };
    }),
  ]);
}

/** A question is only asked after something else went wrong. */
function withReason(route: HostileRoute, faults: readonly HostileFault[]): RouteFaults {
  if (route !== "ask") return { [route]: faults };
  return { append: [{ kind: "cut", bytes: 5000, how: "reset" }], ask: faults };
}

function stormsAndLosses(): ClientCase[] {
  const storms = routes.flatMap((route) =>
    statuses.flatMap((status) =>
      [1, 5].map((times): ClientCase => {
        const storm = Array.from({ length: times }, () => ({ kind: "refuse" as const, status }));
        const name = `${times} x ${status} to ${route}`;
        return { name, length: 90_000, faults: withReason(route, storm), ends: "whole" };
      }),
    ),
  );
  const losses = routes.flatMap((route) =>
    [1, 3].map((times): ClientCase => {
      const lost = Array.from({ length: times }, () => ({ kind: "lose" as const }));
      const name = `${times} answers to ${route} lost`;
      return { name, length: 90_000, faults: withReason(route, lost), ends: "whole" };
    }),
  );
  return [...storms, ...losses];
}

const part = 64 * KiB;
const lying = { length: 4 * part + 999, chunkSize: part };

/** After the n-th part, whose end is then all that the client ever sent. */
function liesAfterParts(): ClientCase[] {
  return [1, 2, 3].flatMap((parts) => {
    const before = Array.from({ length: parts - 1 }, () => undefined);
    const lie = (name: string, ends: ClientEnd, tell: (offset: number) => unknown): ClientCase => {
      const append = [...before, { kind: "lie" as const, tell }];
      return { name: `part ${parts}: ${name}`, ...lying, faults: { append }, ends };
    };
    const impossible: ClientEnd = "contradiction";
    return [
      lie("one byte more than was sent", impossible, (offset) => offset + 1),
      lie("a part more than was sent", impossible, (offset) => offset + part),
      lie("all of the file", impossible, () => lying.length),
      lie("more than the file", impossible, () => lying.length + 1),
      lie("far more than the file", impossible, () => 2 ** 50),
      lie("less than before", parts === 1 ? "whole" : impossible, (offset) => offset - part - 1),
      lie("nothing", parts === 1 ? "either" : impossible, () => 0),
      lie("one byte less", "whole", (offset) => offset - 1),
      ...strangeOffsets.map((strange) =>
        lie(`as offset ${JSON.stringify(strange)}`, "whole", () => strange),
      ),
    ];
  });
}

const strangeOffsets: readonly unknown[] = ["12x", -1, null, 1.5, 1e300, "", {}, [7]];

/** When it is asked after a cut in the third part: two parts are confirmed by then. */
function liesWhenAsked(): ClientCase[] {
  const lie = (name: string, ends: ClientEnd, tell: (offset: number) => unknown): ClientCase => {
    const append = [
      undefined,
      undefined,
      { kind: "cut" as const, bytes: 9000, how: "reset" as const },
    ];
    const faults = { append, ask: [{ kind: "lie" as const, tell }] };
    return { name: `asked: ${name}`, ...lying, faults, ends };
  };
  return [
    lie("nothing", "contradiction", () => 0),
    lie("a part less", "contradiction", () => part),
    lie("one byte less than confirmed", "contradiction", () => 2 * part - 1),
    lie("a part more than was sent", "contradiction", () => 4 * part),
    lie("more than the file", "contradiction", () => lying.length + 1),
    lie("what was confirmed", "whole", () => 2 * part),
    lie("all that may have been sent", "either", () => 3 * part),
    ...strangeOffsets.map((strange) =>
      lie(`as offset ${JSON.stringify(strange)}`, "whole", () => strange),
    ),
  ];
}

/** Every class of place with every kind of fault. */
export function everyClientCase(): ClientCase[] {
  const lies = [...liesAfterParts(), ...liesWhenAsked()];
  return [...lies, ...bodyCuts(), ...lineCuts(), ...stormsAndLosses()];
}

function randomFault(random: SeededRandom, length: number): HostileFault {
  const bytes = random.integer(0, length);
  const kind = random.pick(["cut", "cut", "cut", "refuse", "refuse", "lose", "stall"] as const);
  if (kind === "cut") return { kind, bytes, how: random.pick(["close", "reset"]) };
  if (kind === "refuse") return { kind, status: random.pick(statuses) };
  return kind === "stall" ? { kind, bytes } : { kind };
}

function randomLie(random: SeededRandom, length: number): HostileFault {
  const step = random.pick([1, 2, 4096, random.integer(1, length)]);
  const told = random.integer(0, length + 1);
  const tell = random.pick([
    (offset: number) => offset + step,
    (offset: number) => Math.max(0, offset - step),
    () => told,
  ]);
  return { kind: "lie", tell };
}

function randomFaults(random: SeededRandom, count: number, one: () => HostileFault) {
  return Array.from({ length: count }, () => (random.fraction() < 0.7 ? one() : undefined));
}

/** A few faults of every kind at once, in a quarter of the cases with lies among them. */
export function randomClientCase(random: SeededRandom): ClientCase {
  const length = random.integer(1, random.pick([20 * KiB, 100 * KiB, 400 * KiB, 2 * MiB]));
  const lies = random.fraction() < 0.25;
  const one = (): HostileFault =>
    lies && random.fraction() < 0.5 ? randomLie(random, length) : randomFault(random, length);
  const faults: RouteFaults = {
    start: randomFaults(random, random.integer(0, 1), () => ({ kind: "refuse", status: 503 })),
    append: randomFaults(random, random.integer(1, 5), one),
    ask: randomFaults(random, random.integer(0, 3), one),
  };
  const sliceLength = random.pick([1 << 10, 1 << 14, 1 << 16]);
  const afterBytes = random.integer(0, length + 1000);
  const kind = random.pick(lineKinds);
  const isCut = random.fraction() < 0.3;
  const line = isCut ? [{ toServer: { afterBytes, fault: kind, sliceLength } }] : [];
  const parts = random.integer(1, 6);
  const chunkSize = parts > 3 ? { chunkSize: Math.ceil(length / parts) } : {};
  const ends = lies ? "either" : isCut ? endOf(kind) : "whole";
  return { name: "random", length, ...chunkSize, faults, line, ends };
}
