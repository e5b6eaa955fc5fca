import type { HeaderLine } from "../support/raw-http.ts";
import type { SeededRandom } from "../support/seeded.ts";
import type { Fodder } from "./hostile-setting.ts";
import type { RequestDraft } from "./request-draft.ts";
import { validRequest } from "./request-grammar.ts";
import { mutations, numbers } from "./request-mutations.ts";

export interface HostileBytes {
  readonly bytes: Buffer;
  /** How many requests were written down, before anything was done to their bytes. */
  readonly requests: number;
  /** Nothing was done to it. */
  readonly valid: boolean;
  /** Where one write ends and the next begins. */
  readonly cuts: readonly number[];
}

const badChunkSizes = [
  ...["-1", "0x5", "g", "", " 5", "5 ", "+5", "FFFFFFFFFFFFFFFF", "10000000000000000", "5;", "05"],
  ...["5;a=b", '5;a="\r\n"', `5;${"x".repeat(20_000)}`, "5\n", "00000000000000000000000000000005"],
];

const trailers = [
  "\r\n",
  "X: 1\r\n\r\n",
  "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
  "Authorization: OAuth x\r\nfile_offset: 9\r\n\r\n",
  `X: ${"y".repeat(20_000)}\r\n\r\n`,
  "no colon\r\n\r\n",
  "",
];

/** The body in chunks, some of them as no sender would write them. */
function chunked(body: Buffer, random: SeededRandom): Buffer {
  const pieces: Buffer[] = [];
  for (let from = 0; from < body.length;) {
    const piece = body.subarray(from, from + random.pick([1, 5, 1_000, body.length]));
    const bad = random.fraction() < 0.1;
    const size = bad ? random.pick(badChunkSizes) : piece.length.toString(16);
    const end = random.fraction() < 0.03 ? random.pick(["", "\n", "x\r\n"]) : "\r\n";
    pieces.push(Buffer.from(`${size}\r\n`, "latin1"), piece, Buffer.from(end));
    from += piece.length;
    if (pieces.length > 300) break;
  }
  const last = random.fraction() < 0.9 ? "0\r\n" : random.pick(["", "00\r\n", "0;x\r\n", "-0\r\n"]);
  const trailer = random.fraction() < 0.7 ? "\r\n" : random.pick(trailers);
  return Buffer.concat([...pieces, Buffer.from(last + trailer, "latin1")]);
}

interface Framing {
  readonly headers: readonly HeaderLine[];
  readonly body: Buffer;
}

function framed(draft: RequestDraft, random: SeededRandom, hostile: boolean): Framing {
  const { body, method } = draft;
  const length: HeaderLine = ["Content-Length", `${body.length}`];
  if (!hostile || random.fraction() < 0.6) {
    const needed = body.length > 0 || method === "POST" || method === "PATCH";
    return { headers: needed ? [length] : [], body };
  }
  const encoding: HeaderLine = ["Transfer-Encoding", "chunked"];
  const wrong: HeaderLine = [
    "Content-Length",
    random.fraction() < 0.5 ? `${body.length + random.integer(-3, 3)}` : random.pick(numbers),
  ];
  return random.pick<() => Framing>([
    () => ({ headers: [encoding], body: chunked(body, random) }),
    () => ({ headers: [encoding], body: chunked(body, random) }),
    () => ({ headers: [wrong], body }),
    () => ({ headers: [], body }),
    () => ({ headers: [length, encoding], body: chunked(body, random) }),
    () => ({ headers: [encoding, length], body }),
    () => ({ headers: [length, wrong], body }),
    () => ({ headers: [length, length], body }),
    () => ({ headers: [["Expect", "100-continue"], length], body }),
    () => ({ headers: [["Transfer-Encoding", "chunked, gzip"], length], body }),
  ])();
}

function written(draft: RequestDraft, framing: Framing, eol: string): Buffer {
  const lines = [...draft.headers, ...framing.headers].map(([name, value]) => `${name}: ${value}`);
  const first = `${draft.method} ${draft.target} ${draft.version}`;
  const head = [first, ...lines, "", ""].join(eol);
  return Buffer.concat([Buffer.from(head), framing.body]);
}

function oneRequest(random: SeededRandom, fodder: Fodder, hostile: boolean): Buffer {
  const host: HeaderLine = ["Host", "127.0.0.1"];
  const made = validRequest(random, fodder);
  let draft: RequestDraft = { ...made, headers: [host, ...made.headers] };
  if (!hostile) return written(draft, framed(draft, random, false), "\r\n");
  const rounds = random.pick([1, 1, 1, 2, 2, 3, 5, 8]);
  for (let round = 0; round < rounds; round += 1) draft = random.pick(mutations)(draft, random);
  const eol = random.fraction() < 0.97 ? "\r\n" : random.pick(["\n", "\r", "\r\r\n"]);
  return written(draft, framed(draft, random, true), eol);
}

/** What is done to bytes without asking what they mean. */
function scrambled(bytes: Buffer, random: SeededRandom): Buffer {
  const at = random.integer(0, Math.max(0, bytes.length - 1));
  const flipped = Buffer.from(bytes);
  if (bytes.length > 0) flipped[at] = (bytes[at] ?? 0) ^ (1 << random.integer(0, 7));
  return random.pick([
    bytes.subarray(0, at),
    flipped,
    Buffer.concat([bytes.subarray(0, at), random.bytes(3), bytes.subarray(at)]),
    Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.integer(1, 9))]),
    Buffer.concat([Buffer.from(random.pick(["\r\n", "\n", "\0", " ", "\ufeff"])), bytes]),
    Buffer.concat([bytes, random.bytes(random.integer(1, 200))]),
  ]);
}

/** What one connection sends: one request or several, whole or not. Only the seed decides. */
export function hostileBytes(random: SeededRandom, fodder: Fodder): HostileBytes {
  const valid = random.fraction() < 0.06;
  const requests = !valid && random.fraction() < 0.15 ? random.integer(2, 6) : 1;
  const pieces = Array.from({ length: requests }, () =>
    // Among several some are good, so that an answer to a wrong one of them would show.
    oneRequest(random, fodder, !valid && (requests === 1 || random.fraction() < 0.5)),
  );
  const whole = Buffer.concat(pieces);
  const bytes = !valid && random.fraction() < 0.15 ? scrambled(whole, random) : whole;
  const slices = random.fraction() < 0.15 ? random.integer(1, 8) : 0;
  const cuts = Array.from({ length: slices }, () => random.integer(0, bytes.length));
  return { bytes, requests, valid, cuts: cuts.toSorted((a, b) => a - b) };
}
