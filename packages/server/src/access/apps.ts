import type { Clock } from "../base/clock.ts";
import { uploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { AppUpdate, Catalog } from "../catalog/catalog.ts";
import type { App, ContentPolicy, DigestPolicy } from "../catalog/records.ts";
import type { Keyring } from "./keyring.ts";
import { Recent } from "./recent.ts";

export type AppDetails = App & { readonly secret: string };

/** What may be said about an app; what is left out keeps its value or gets its default. */
export interface AppChanges extends Omit<AppUpdate, "sealedSecret"> {
  readonly secret?: string | undefined;
}

export interface NewApp extends AppChanges {
  readonly id?: string | undefined;
}

interface AppsParts {
  readonly catalog: Catalog;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly random: Random;
}

/** Those of Meta's guide, and no others: what passes here must pass there. */
const typesDefault: readonly string[] = Object.freeze([
  "application/pdf",
  "image/jpeg",
  "image/jpg",
  "image/png",
  "video/mp4",
]);
const contentPolicies: readonly string[] = ["off", "warn", "reject"] satisfies ContentPolicy[];
const digestPolicies: readonly string[] = ["on_request", "on_publish"] satisfies DigestPolicy[];
const secretBytes = 16;

/** Only such an id is looked up: Postgres fails at a text with a NUL. */
export function isAppId(text: string): boolean {
  return /^[0-9]{1,20}$/.test(text);
}

/** The longest upload that an app can ever begin: one longer than its room finds none. */
export function uploadLengthMax(app: Pick<App, "lengthMax" | "roomBytesMax">): number {
  return Math.min(app.lengthMax, app.roomBytesMax ?? app.lengthMax);
}

/** The apps of this deployment. Secrets rest sealed and are opened here only. */
export class Apps {
  readonly #catalog: Catalog;
  readonly #keyring: Keyring;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #recent: Recent<AppDetails>;

  constructor({ catalog, keyring, clock, random }: AppsParts) {
    this.#catalog = catalog;
    this.#keyring = keyring;
    this.#clock = clock;
    this.#random = random;
    this.#recent = new Recent(clock);
  }

  async find(id: string): Promise<AppDetails | undefined> {
    const known = this.#recent.get(id);
    if (known !== undefined) return known;
    const app = isAppId(id) ? await this.#catalog.findApp(id) : undefined;
    if (app === undefined) return undefined;
    const details = this.#open(app);
    this.#recent.set(id, details);
    return details;
  }

  /** Without their secrets, which a list has no use for. */
  async list(): Promise<App[]> {
    return await this.#catalog.listApps();
  }

  async create(wanted: NewApp): Promise<AppDetails> {
    const secret = wanted.secret ?? this.#random.bytes(secretBytes).toString("hex");
    const id = wanted.id ?? this.#random.numericId();
    if (!isAppId(id)) {
      throw invalid("id", "is not an app id", "1 to 20 digits");
    }
    checkChanges({ ...wanted, secret });
    const app: App = {
      id,
      name: wanted.name ?? `app ${id}`,
      sealedSecret: this.#keyring.seal(Buffer.from(secret)),
      types: wanted.types ?? typesDefault,
      lengthMax: wanted.lengthMax ?? limits.appLengthMaxDefault,
      lifetimeMs: wanted.lifetimeMs ?? limits.uploadLifetimeMsDefault,
      contentPolicy: wanted.contentPolicy ?? "warn",
      digestPolicy: wanted.digestPolicy ?? "on_request",
      roomBytesMax: wanted.roomBytesMax ?? undefined,
      createdAt: this.#clock.now(),
    };
    if (!(await this.#catalog.insertApp(app))) {
      throw invalid("id", "is taken by another app", "an id that is not in use");
    }
    return { ...app, secret };
  }

  /** Undefined when there is no such app. */
  async update(id: string, changes: AppChanges): Promise<AppDetails | undefined> {
    checkChanges(changes);
    if (!isAppId(id)) return undefined;
    const { secret, ...plain } = changes;
    const sealedSecret = secret === undefined ? undefined : this.#keyring.seal(Buffer.from(secret));
    const updated = await this.#catalog.updateApp(id, { ...plain, sealedSecret });
    this.#recent.clear();
    const app = updated ? await this.#catalog.findApp(id) : undefined;
    return app === undefined ? undefined : this.#open(app);
  }

  #open(app: App): AppDetails {
    return { ...app, secret: this.#keyring.unseal(app.sealedSecret).toString() };
  }
}

function checkChanges(changes: AppChanges): void {
  const { name, secret, types, lengthMax, lifetimeMs } = changes;
  if (name !== undefined && !/^[^\p{Cc}\p{Cf}]{1,255}$/u.test(name)) {
    throw invalid("name", "is not a name", "1 to 255 printable characters");
  }
  // A bar would end the app id in an app token, ID|SECRET.
  if (secret !== undefined && !/^[\x21-\x7b\x7d\x7e]{1,255}$/.test(secret)) {
    throw invalid("secret", "is not a secret", "1 to 255 visible ASCII characters without |");
  }
  if (types !== undefined && (types.length === 0 || !types.every(isMediaType))) {
    throw invalid("types", "is not a list of media types", "types such as image/png,video/mp4");
  }
  if (lengthMax !== undefined && !isWholeNumber(lengthMax)) {
    throw invalid("lengthMax", "is not a length", "a whole number of bytes, at least 1");
  }
  if (lifetimeMs !== undefined && !isLifetime(lifetimeMs)) {
    const valid = `a whole number of milliseconds from 1 to ${limits.lifetimeMsMax}`;
    throw invalid("lifetimeMs", "is not a lifetime", valid);
  }
  checkPolicies(changes);
}

function checkPolicies({ contentPolicy, digestPolicy, roomBytesMax }: AppChanges): void {
  if (contentPolicy !== undefined && !contentPolicies.includes(contentPolicy)) {
    throw invalid("contentPolicy", "is not a policy", contentPolicies.join(", "));
  }
  if (digestPolicy !== undefined && !digestPolicies.includes(digestPolicy)) {
    throw invalid("digestPolicy", "is not a policy", digestPolicies.join(", "));
  }
  if (typeof roomBytesMax === "number" && !isWholeNumber(roomBytesMax)) {
    throw invalid("roomBytesMax", "is not a cap", "a whole number of bytes, at least 1, or null");
  }
}

/** As a request declares one: in lower case, without parameters. */
export function isMediaType(text: string): boolean {
  return /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/.test(text);
}

function isLifetime(value: number): boolean {
  return isWholeNumber(value) && value <= limits.lifetimeMsMax;
}

function isWholeNumber(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function invalid(name: string, problem: string, valid: string) {
  return uploadError("parameter_invalid", { name, problem, valid });
}
