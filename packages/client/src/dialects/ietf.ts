import type { TransportAnswer } from "../transports/transport.ts";
import { readCount } from "./answer.ts";
import type {
  Append,
  AppendOutcome,
  DialectClient,
  DialectParts,
  Standing,
  StandardDialect,
  UploadFacts,
} from "./dialect.ts";
import { StandardCalls } from "./standard.ts";

/**
 * Resumable Uploads for HTTP, the IETF's draft of it that is nearest to the standard: `dialect:
 * ietf`. An upload is made empty, so that its URL is known before the first byte goes out; it is
 * complete when the last part says so.
 *
 * @example
 * import { ietf } from "hawser-client/ietf";
 * const { id } = await upload("film.mp4", { dialect: ietf, url: "https://host/uploads" });
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/
 */
export const ietf: StandardDialect = {
  name: "ietf",
  needsApp: false,
  connect: (parts) => new IetfClient(parts),
};

class IetfClient implements DialectClient {
  /** A client that knows of this limit must not exceed it (Upload-Limit, `max-append-size`). */
  partLengthMax: number | undefined;
  readonly #calls: StandardCalls;

  constructor(parts: DialectParts) {
    this.#calls = new StandardCalls(parts, {
      // No version of the draft: who names one may be sent 104s, of which nothing is read here, and
      // after which some proxies answer no more.
      headers: {},
      onAnswer: (answer) => {
        this.partLengthMax = readPartLengthMax(answer) ?? this.partLengthMax;
      },
    });
  }

  async start({ name, type, length }: UploadFacts, signal: AbortSignal): Promise<string> {
    const headers = {
      "upload-complete": "?0",
      "upload-length": String(length),
      "content-type": type,
      "content-disposition": dispositionOf(name),
    };
    const url = this.#calls.collection;
    return this.#calls.location(await this.#calls.send({ method: "POST", url, headers, signal }));
  }

  async ask(id: string, signal: AbortSignal): Promise<Standing> {
    return this.#calls.standing(await this.#head(id, signal), signal);
  }

  async append(append: Append): Promise<AppendOutcome> {
    const { id, offset, body, length, signal } = append;
    if (body.length === 0) {
      // Either the answer to the last part was lost, or the upload is yet to be told to be over.
      const answer = await this.#head(id, signal);
      if (isComplete(answer) === true) return this.#complete(id, answer, signal);
    }
    const end = offset + body.length;
    const answer = await this.#patch(append, end === length);
    // To a request that was the last a 2xx means that all is there.
    if (isComplete(answer) ?? end === length) return this.#complete(id, answer, signal);
    return { kind: "open", offset: readCount(answer.headers, "upload-offset") ?? end };
  }

  async cancel(id: string, signal: AbortSignal): Promise<void> {
    await this.#calls.send({ method: "DELETE", url: id, signal });
  }

  #head(id: string, signal: AbortSignal): Promise<TransportAnswer> {
    return this.#calls.send({ method: "HEAD", url: id, signal });
  }

  #patch({ id, offset, body, onSent, signal }: Append, isLast: boolean) {
    const headers = {
      "upload-offset": String(offset),
      "upload-complete": isLast ? "?1" : "?0",
      "content-type": "application/partial-upload",
    };
    return this.#calls.send({ method: "PATCH", url: id, headers, body, onSent, signal });
  }

  async #complete(
    id: string,
    answer: TransportAnswer,
    signal: AbortSignal,
  ): Promise<AppendOutcome> {
    return { kind: "complete", handle: await this.#calls.handle(id, answer, signal) };
  }
}

/** Undefined when the answer does not say it, or a browser does not show it. */
function isComplete({ headers }: TransportAnswer): boolean | undefined {
  const flag = headers["upload-complete"];
  return flag === undefined ? undefined : flag === "?1";
}

function readPartLengthMax({ headers }: TransportAnswer): number | undefined {
  const found = /(?:^|[\s,])max-append-size=([1-9]\d{0,14})/.exec(headers["upload-limit"] ?? "");
  return found === null ? undefined : Number(found[1]);
}

/** Both spellings of RFC 6266: the second one is for names beyond ASCII. */
function dispositionOf(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\]/g, "_");
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `inline; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
