import type {
  Append,
  AppendOutcome,
  DialectClient,
  DialectParts,
  Standing,
  StandardDialect,
  UploadFacts,
} from "./dialect.ts";
import { readOffset, StandardCalls } from "./standard.ts";

/**
 * tus 1.0.0 with creation and, for `cancel`, termination: `dialect: tus` uploads to any server of
 * it. The upload's id is its URL, which is the handle as well where the server has no handles.
 *
 * @example
 * import { tus } from "hawser-client/tus";
 * const { id } = await upload("film.mp4", { dialect: tus, url: "https://host/files/" });
 *
 * @see https://tus.io/protocols/resumable-upload
 */
export const tus: StandardDialect = {
  name: "tus",
  needsApp: false,
  connect: (parts) => new TusClient(parts),
};

class TusClient implements DialectClient {
  readonly #calls: StandardCalls;

  constructor(parts: DialectParts) {
    this.#calls = new StandardCalls(parts, { headers: { "tus-resumable": "1.0.0" } });
  }

  async start({ name, type, length }: UploadFacts, signal: AbortSignal): Promise<string> {
    const headers = {
      "upload-length": String(length),
      // The keys that clients of tus agree on.
      "upload-metadata": `filename ${base64(name)},filetype ${base64(type)}`,
    };
    const url = this.#calls.collection;
    return this.#calls.location(await this.#calls.send({ method: "POST", url, headers, signal }));
  }

  async ask(id: string, signal: AbortSignal): Promise<Standing> {
    return this.#calls.standing(await this.#head(id, signal), signal);
  }

  async append({ id, offset, body, length, onSent, signal }: Append): Promise<AppendOutcome> {
    const headers = {
      "upload-offset": String(offset),
      "content-type": "application/offset+octet-stream",
    };
    // An empty part is a question for an answer that was lost.
    const answer = await (body.length === 0
      ? this.#head(id, signal)
      : this.#calls.send({ method: "PATCH", url: id, headers, body, onSent, signal }));
    const reached = readOffset(answer);
    if (reached !== length) return { kind: "open", offset: reached };
    return { kind: "complete", handle: await this.#calls.handle(id, answer, signal) };
  }

  async cancel(id: string, signal: AbortSignal): Promise<void> {
    await this.#calls.send({ method: "DELETE", url: id, signal });
  }

  #head(id: string, signal: AbortSignal) {
    return this.#calls.send({ method: "HEAD", url: id, signal });
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
