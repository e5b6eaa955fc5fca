import type { Chance } from "./chance.ts";
import type { SimulatedFile } from "./simulated-file.ts";

export interface NameChange {
  readonly kind: "create" | "remove" | "quarantine";
  readonly key: string;
  readonly file: SimulatedFile;
}

/** The names of the files, as they are seen and as the platter has them. */
export class SimulatedNames {
  #seen = new Map<string, SimulatedFile>();
  #durable = new Map<string, SimulatedFile>();
  #changes: NameChange[] = [];

  get(key: string): SimulatedFile | undefined {
    return this.#seen.get(key);
  }

  keys(): string[] {
    return [...this.#seen.keys()];
  }

  /** Whether a power cut at this moment would leave the file its name. */
  isDurable(key: string): boolean {
    return this.#durable.has(key) && !this.#changes.some((change) => change.key === key);
  }

  change(change: NameChange): void {
    apply(change, this.#seen);
    this.#changes.push(change);
  }

  /** What a sync of the key's directory finds when it begins. */
  pendingBeside(key: string): NameChange[] {
    const directory = directoryOf(key);
    return this.#changes.filter((change) => directoryOf(change.key) === directory);
  }

  pendingOf(file: SimulatedFile): NameChange[] {
    return this.#changes.filter((change) => change.file === file);
  }

  endSync(changes: readonly NameChange[]): void {
    for (const change of changes) apply(change, this.#durable);
    this.#changes = this.#changes.filter((change) => !changes.includes(change));
  }

  /** The power goes: every change since the last sync happened or did not. */
  losePower(chance: Chance): void {
    for (const change of this.#changes) {
      if (chance.happens(0.5)) apply(change, this.#durable);
    }
    this.#changes = [];
    this.#seen = new Map(this.#durable);
    for (const file of this.#seen.values()) file.losePower(chance);
  }
}

function apply(change: NameChange, names: Map<string, SimulatedFile>): void {
  if (change.kind === "create") names.set(change.key, change.file);
  else names.delete(change.key);
}

function directoryOf(key: string): string {
  return key.slice(0, key.indexOf("/"));
}
