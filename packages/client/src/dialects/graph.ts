import { UploadError } from "../errors.ts";
import type {
  Append,
  AppendOutcome,
  Dialect,
  FileAbout,
  Standing,
  UploadFacts,
} from "./dialect.ts";
import type { GraphClient } from "./graph-client.ts";

const guardFields = ["file_length", "status", "crc32"];

/** Meta's Resumable Upload API as a dialect. */
export class GraphDialect implements Dialect {
  readonly name = "graph";
  readonly #client: GraphClient;

  constructor(client: GraphClient) {
    this.#client = client;
  }

  start(facts: UploadFacts, signal: AbortSignal): Promise<string> {
    return this.#client.start(facts, signal);
  }

  async ask(id: string, signal: AbortSignal): Promise<Standing> {
    try {
      return await this.#client.status(id, guardFields, signal);
    } catch (error) {
      // A service that knows no such fields may refuse them; the offset alone it must know.
      if (!(error instanceof UploadError) || error.facts.status !== 400) throw error;
      return this.#client.status(id, [], signal);
    }
  }

  append({ id, offset, part, onSent, signal }: Append): Promise<AppendOutcome> {
    return this.#client.append({ id, offset, body: part, onSent, signal });
  }

  async cancel(id: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.cancel(id, signal);
    } catch (error) {
      if (error instanceof UploadError && ["gone", "not-found"].includes(error.code)) return;
      throw error;
    }
  }

  publish(handle: string, about: FileAbout, signal: AbortSignal): Promise<string> {
    return this.#client.publish(handle, about, signal);
  }
}
