/** What becomes of a put: `late` and `lost` fail for the writer; a late one lands some time after. */
export type PutFate = "lands" | "late" | "lost";

/** Objects by key, as a bucket keeps them: it outlives every process that uses it. */
export class MemoryBucket {
  readonly objects = new Map<string, Buffer>();
  /** Asked at every put. */
  fateOf: (key: string) => PutFate = () => "lands";
  readonly #late: { readonly key: string; readonly bytes: Buffer }[] = [];

  put(key: string, bytes: Buffer): void {
    const fate = this.fateOf(key);
    if (fate === "lands") {
      this.objects.set(key, bytes);
      return;
    }
    if (fate === "late") this.#late.push({ key, bytes });
    throw new Error(`no answer to the put of ${key}`);
  }

  /** What is under way arrives, or the first of it. Returns how many objects did. */
  landLate(most = Infinity): number {
    const landing = this.#late.splice(0, most);
    for (const { key, bytes } of landing) this.objects.set(key, bytes);
    return landing.length;
  }

  keys(): string[] {
    return [...this.objects.keys()].sort();
  }
}
