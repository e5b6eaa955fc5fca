import { limits } from "../base/limits.ts";

/** The first bytes of an upload, by which its content is judged; copies, as far as that looks. */
export class ContentHead {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  get isFull(): boolean {
    return this.#length >= limits.sniffBytes;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  keep(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      if (this.isFull) return;
      const piece = Uint8Array.prototype.slice.call(chunk, 0, limits.sniffBytes - this.#length);
      this.#pieces.push(piece);
      this.#length += piece.length;
    }
  }
}
