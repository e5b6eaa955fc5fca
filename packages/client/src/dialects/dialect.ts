import type { ParsedConnection } from "../options.ts";
import type { Transport, TransportBody } from "../transports/transport.ts";
import type { TokenHolder } from "./token.ts";

/** What a server wants to know of an upload before it starts. */
export interface UploadFacts {
  readonly name: string;
  readonly type: string;
  /** Bytes. */
  readonly length: number;
}

/** How far the server says an upload is; only what it told. */
export interface Standing {
  /** Durable bytes. */
  readonly offset: number;
  /** Bytes of the whole. */
  readonly length?: number | undefined;
  /** CRC-32 of the bytes up to the offset, 8 hex digits. */
  readonly crc32?: string | undefined;
  /** The server's word for the upload's state, such as `open` or `complete`. */
  readonly status?: string | undefined;
}

/** A part to send: of which upload, and from which byte on. */
export interface Append {
  readonly id: string;
  /** Where the part begins. */
  readonly offset: number;
  /** The part. */
  readonly body: TransportBody;
  /** Bytes of the whole file. */
  readonly length: number;
  /** Bytes of this part taken by the network so far. */
  readonly onSent?: ((sent: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/** Where an upload stands after an append: complete, or open at an offset in bytes. */
export type AppendOutcome =
  /** `handle` is the upload's id where the server has no handles. */
  | { readonly kind: "complete"; readonly handle: string }
  /** `offset` is undefined when the server did not say how far it is: ask. */
  | { readonly kind: "open"; readonly offset: number | undefined };

/**
 * One protocol for resumable uploads as a client speaks it to one server. Every method is a single
 * try: it throws an `UploadError` with the facts of the refusal, and who tries again is decided
 * elsewhere (retry.ts). `id` is whatever the server named the upload: a Graph id, or a URL in other
 * dialects.
 */
export interface DialectClient {
  /** Bytes that one part may have at most, as far as the server has told by now. */
  readonly partLengthMax?: number | undefined;
  /** Makes an upload and answers its id. Repeating it makes another one, which is harmless. */
  start(facts: UploadFacts, signal: AbortSignal): Promise<string>;
  /** Reads how far the upload is, and with it what lets a client check that it is the same file. */
  ask(id: string, signal: AbortSignal): Promise<Standing>;
  /**
   * Sends a part. At offset = length with an empty part it answers as the completing append did, so
   * that a lost answer can be had again.
   */
  append(append: Append): Promise<AppendOutcome>;
  /** Gives the upload up on the server. */
  cancel(id: string, signal: AbortSignal): Promise<void>;
  /** Makes a file of a complete upload, where there is such a thing. Repeatable. */
  publish?(handle: string, about: FileAbout, signal: AbortSignal): Promise<string>;
}

/** What a dialect is given to speak with. */
export interface DialectParts {
  readonly connection: ParsedConnection;
  readonly transport: Transport;
  readonly tokens: TokenHolder;
}

/** A protocol to choose: the option `dialect` of an upload. */
export interface Dialect {
  /** Such as `graph`; part of the key under which an upload is remembered. */
  readonly name: string;
  /**
   * Uploads belong to an app that has to be named, and have the limits of Meta's services: a token
   * is wanted, and no file is empty.
   */
  readonly needsApp: boolean;
  connect(parts: DialectParts): DialectClient;
}

/** Meta's own. */
export type AppDialect = Dialect & { readonly needsApp: true };

/** One that works with any server of its standard. */
export type StandardDialect = Dialect & { readonly needsApp: false };

/** What a published file is called. */
export interface FileAbout {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
}
