import { Kysely, type CompiledQuery } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { CatalogReads } from "./catalog-reads.ts";
import type {
  Advance,
  AppUpdate,
  AssemblyClaim,
  AssemblyFinish,
  Catalog,
  CommitOutcome,
  EndUpload,
  EpochLook,
  PromisedRoom,
} from "./catalog.ts";
import { insertUpload } from "./hot-queries.ts";
import {
  advanceUpload,
  beginUploadWithin,
  closeLeaseEpochs,
  endHeldUpload,
  expireDueUploads,
  finishHeldAssembly,
  publishFile,
  rejectUpload,
  removePublishedFile,
  type Begin,
  type Change,
} from "./postgres-changes.ts";
import {
  channelOf,
  readIdentity,
  refuseForgetfulServer,
  refuseOtherSchema,
} from "./postgres-checks.ts";
import { explained } from "./postgres-failures.ts";
import { PostgresLeases } from "./postgres-leases.ts";
import { PostgresNeighbours } from "./postgres-neighbours.ts";
import { isAssembled, isSameAdvance, isSameEnding, waitForStandby } from "./postgres-outcome.ts";
import { PostgresPool, type Answer } from "./postgres-pool.ts";
import { postgresText as text } from "./postgres-text.ts";
import { filledWith } from "./prepared.ts";
import { removeEndedUploads } from "./queries.ts";
import * as records from "./record-queries.ts";
import type { App, Assembly, Epoch, Extent, PublishedFile, Token, Upload } from "./records.ts";
import {
  appOf,
  assemblyOf,
  epochOf,
  extentOf,
  fileOf,
  tokenOf,
  uploadOf,
  uploadRow,
} from "./rows.ts";
import type { Schema } from "./schema.ts";
import * as store from "./store-queries.ts";

export interface PostgresCatalogOptions {
  /** `postgres://user:password@host:port/database`, with what else node-postgres understands. */
  readonly url: string;
  readonly connectionsMax?: number;
  readonly clock: Clock;
  readonly random: Random;
}

interface PostgresCatalogParts {
  readonly pool: PostgresPool;
  readonly leases: PostgresLeases;
  readonly neighbours: PostgresNeighbours;
}

/**
 * The catalog that several nodes share. Every change is one statement; one whose outcome is
 * unknown is sent again, and what the row says then decides what is told. A server that is away
 * for some seconds is waited for; then the verb fails with `storage_failed` and may be tried again.
 */
export class PostgresCatalog extends CatalogReads implements Catalog {
  readonly #pool: PostgresPool;
  readonly #leases: PostgresLeases;
  readonly #neighbours: PostgresNeighbours;

  private constructor({ pool, leases, neighbours }: PostgresCatalogParts) {
    super(new Kysely<Schema>({ dialect: pool.dialect() }));
    this.#pool = pool;
    this.#leases = leases;
    this.#neighbours = neighbours;
  }

  /** Fails where the server could forget, or its schema is another. See `migratePostgres`. */
  static async open(options: PostgresCatalogOptions): Promise<PostgresCatalog> {
    const { url, clock, random, connectionsMax = 10 } = options;
    const pool = new PostgresPool({ url, connectionsMax, clock });
    try {
      await refuseForgetfulServer(pool);
      await refuseOtherSchema(pool);
      const node = random.uuid();
      const channel = await channelOf(pool);
      const leases = new PostgresLeases({ pool, clock, node, channel });
      const neighbours = new PostgresNeighbours({
        url,
        pool,
        clock,
        node,
        channel,
        onWord: (word, id) => {
          leases.hear(word, id);
        },
        look: () => leases.lookWhenDue(),
      });
      await neighbours.start();
      return new PostgresCatalog({ pool, leases, neighbours });
    } catch (error) {
      await pool.close();
      throw explained(error);
    }
  }

  async close(): Promise<void> {
    this.#pool.stopWaiting();
    await this.#neighbours.close();
    await this.#pool.close();
  }

  /** Names the server's history: it changes when a copy of it takes over, restored or promoted. */
  identity(): Promise<string> {
    return readIdentity(this.#pool);
  }

  async insertUpload(upload: Upload, within?: PromisedRoom): Promise<boolean> {
    if (within !== undefined) return await this.#insertUploadWithin(upload, within);
    const insert = insertUpload(text, filledWith(uploadRow(upload)))
      .onConflict((conflict) => conflict.column("id").doNothing())
      .returning("id");
    const { rows, repeated } = await this.#pool.run(insert);
    if (rows.length > 0) return true;
    if (repeated) await this.#outlasts();
    // A blob's id is drawn with its upload's: the row that is there is the one we sent.
    const found = repeated ? await this.findUpload(upload.id) : undefined;
    if (found?.blobId === upload.blobId) return true;
    throw new Error(`upload ${upload.id} is there already`);
  }

  async #insertUploadWithin(upload: Upload, within: PromisedRoom): Promise<boolean> {
    let repeated = false;
    for (;;) {
      const answer: Answer<Begin> = await this.#pool.run(
        beginUploadWithin(upload, within),
        repeated,
      );
      repeated = answer.repeated;
      const [{ seen, moved, kept } = { seen: 0, moved: 0, kept: 0 }] = answer.rows;
      if (kept > 0) return true;
      if (moved === 0 && seen > 0) continue;
      if (repeated) await this.#outlasts();
      const found = await this.findUpload(upload.id);
      if (found === undefined) return false;
      if (repeated && found.blobId === upload.blobId) return true;
      throw new Error(`upload ${upload.id} is there already`);
    }
  }

  async findUpload(id: string): Promise<Upload | undefined> {
    const select = this.db.selectFrom("uploads").selectAll().where("id", "=", id);
    const row = await select.executeTakeFirst();
    return row === undefined ? undefined : uploadOf(row);
  }

  async listExtents(blobId: string): Promise<Extent[]> {
    const select = this.db.selectFrom("extents").selectAll().where("blob_id", "=", blobId);
    return (await select.orderBy("start").execute()).map(extentOf);
  }

  takeLease(id: string, fence: string): Promise<Upload | undefined> {
    return this.#leases.take(id, fence);
  }

  onLeaseWanted(listener: (id: string) => void): void {
    this.#leases.onWanted(listener);
  }

  heldElsewhere(ids: readonly string[]): Promise<Set<string>> {
    return this.#leases.heldElsewhere(ids);
  }

  releaseLease(id: string, fence: string): Promise<void> {
    return this.#leases.release(id, fence);
  }

  advance(advance: Advance): Promise<CommitOutcome> {
    return this.#leases.inTurn(advance.id, () => this.#advance(advance));
  }

  async #advance(advance: Advance): Promise<CommitOutcome> {
    const { id, ending } = advance;
    if (ending?.state === "rejected") {
      const reject = rejectUpload(advance, ending.reason);
      const { moved, repeated } = await this.#change(reject);
      if (!moved && !(repeated && (await this.#shows(advance)))) return "stale";
    } else {
      const { rows, repeated } = await this.#pool.run(advanceUpload({ ...advance, ending }));
      if (rows.length === 0 && !(repeated && (await this.#shows(advance)))) return "stale";
      if (ending === undefined && (rows[0]?.wanted_at ?? null) !== null) {
        this.#leases.noteWanted(id);
      }
    }
    if (ending !== undefined) await this.#leases.noteEnded(id);
    return "done";
  }

  /** Whether an advance whose answer was lost has happened. */
  async #shows(advance: Advance): Promise<boolean> {
    await this.#outlasts();
    const select = this.db.selectFrom("uploads").selectAll().where("id", "=", advance.id);
    return isSameAdvance(await select.executeTakeFirst(), advance);
  }

  /** See `waitForStandby`; what is read before it may be gone with this server. */
  async #outlasts(): Promise<void> {
    await this.#pool.run(waitForStandby, true);
  }

  end(ending: EndUpload): Promise<CommitOutcome> {
    return this.#leases.inTurn(ending.id, async () => {
      const { moved, repeated } = await this.#change(endHeldUpload(ending));
      if (!moved) {
        if (!repeated) return "stale";
        await this.#outlasts();
        if (!isSameEnding(await this.findUpload(ending.id), ending)) return "stale";
      }
      await this.#leases.noteEnded(ending.id);
      return "done";
    });
  }

  async expireUploads(now: number, limit: number): Promise<string[]> {
    const expired: string[] = [];
    while (expired.length < limit) {
      const { rows } = await this.#pool.run(expireDueUploads(now, limit - expired.length));
      const [{ seen, ids } = { seen: 0, ids: [] }] = rows;
      expired.push(...ids);
      // All that were seen: there are no more. Fewer: others were changed meanwhile.
      if (seen === ids.length) break;
    }
    return expired;
  }

  async removeEndedUploads(before: number): Promise<number> {
    return (await this.#pool.run(removeEndedUploads(text, before))).rows.length;
  }

  async insertFile(file: PublishedFile): Promise<PublishedFile | undefined> {
    const { rows, repeated } = await this.#pool.run(publishFile(file));
    const [row] = rows;
    if (row === undefined && repeated) await this.#outlasts();
    return row === undefined ? this.findFileOfUpload(file.uploadId) : fileOf(row);
  }

  async setFileSha256(id: string, sha256: string): Promise<void> {
    await this.#pool.run(records.setFileSha256(text, id, sha256));
  }

  async setUploadSha256(id: string, sha256: string): Promise<void> {
    await this.#pool.run(records.setUploadSha256(text, id, sha256));
  }

  async removeFile(id: string, at: number): Promise<boolean> {
    const { moved, repeated } = await this.#change(removePublishedFile(id, at));
    if (moved || !repeated) return moved;
    await this.#outlasts();
    // It may have been there and be gone by our first try: it is gone in either case.
    return (await this.findFile(id)) === undefined;
  }

  async forgetDoomed(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.#pool.run(records.forgetDoomed(text, keys));
  }

  async putOffDoomed(keys: readonly string[], at: number): Promise<void> {
    if (keys.length > 0) await this.#pool.run(records.putOffDoomed(text, keys, at));
  }

  async openEpoch(epoch: Epoch): Promise<void> {
    await this.#pool.run(store.openEpoch(text, epoch));
  }

  async closeEpoch(fence: string, at: number): Promise<void> {
    await this.#pool.run(store.closeEpoch(text, fence, at));
  }

  async listEpochsDue(look: EpochLook): Promise<Epoch[]> {
    await this.#pool.run(closeLeaseEpochs(look.now));
    await this.#pool.run(store.closeAssemblyEpochs(text, look.now));
    return (await this.#pool.run(store.dueEpochs(text, look))).rows.map(epochOf);
  }

  async noteEpochLook(fence: string, nextAt: number | undefined): Promise<void> {
    await this.#pool.run(store.noteEpochLook(text, fence, nextAt));
  }

  async putOffEpochLook(fence: string, dueAt: number): Promise<void> {
    await this.#pool.run(store.putOffEpochLook(text, fence, dueAt));
  }

  async requestAssembly(blobId: string, at: number): Promise<void> {
    await this.#pool.run(store.requestAssembly(text, blobId, at));
  }

  async claimAssembly(claim: AssemblyClaim): Promise<Assembly | undefined> {
    // Those that another node is just claiming are passed over.
    const claimable = store.claimableAssembly(text, claim).forUpdate().skipLocked();
    const { rows, repeated } = await this.#pool.run(store.claimAssembly(text, claim, claimable));
    const [row] = rows;
    if (row !== undefined || !repeated) return row === undefined ? undefined : assemblyOf(row);
    const mine = this.db.selectFrom("assemblies").selectAll().where("nonce", "=", claim.nonce);
    const found = await mine.executeTakeFirst();
    return found === undefined ? undefined : assemblyOf(found);
  }

  async finishAssembly(finish: AssemblyFinish): Promise<CommitOutcome> {
    const { moved, repeated } = await this.#change(finishHeldAssembly(finish));
    if (moved) return "done";
    if (!repeated) return "stale";
    await this.#outlasts();
    return isAssembled(await this.listExtents(finish.blobId), finish) ? "done" : "stale";
  }

  async putOffAssembly(blobId: string, nonce: string, dueAt: number | undefined): Promise<void> {
    await this.#pool.run(store.putOffAssembly(text, { blobId, nonce, dueAt }));
  }

  async insertApp(app: App): Promise<boolean> {
    const { changes, repeated } = await this.#pool.run(records.insertApp(text, app));
    if (changes > 0 || !repeated) return changes > 0;
    await this.#outlasts();
    const found = await this.findApp(app.id);
    // A secret is never sealed twice alike.
    return found !== undefined && Buffer.compare(found.sealedSecret, app.sealedSecret) === 0;
  }

  async updateApp(id: string, update: AppUpdate): Promise<boolean> {
    return (await this.#pool.run(records.updateApp(text, id, update))).changes > 0;
  }

  async findApp(id: string): Promise<App | undefined> {
    const select = this.db.selectFrom("apps").selectAll().where("id", "=", id);
    const row = await select.executeTakeFirst();
    return row === undefined ? undefined : appOf(row);
  }

  async insertToken(token: Token): Promise<void> {
    const insert = records
      .insertToken(text, token)
      .onConflict((conflict) => conflict.doNothing())
      .returning("id");
    const { rows, repeated } = await this.#pool.run(insert);
    if (rows.length > 0) return;
    if (repeated) await this.#outlasts();
    const found = repeated ? await this.findToken(token.hash) : undefined;
    if (found?.id !== token.id) throw new Error(`token ${token.id} is there already`);
  }

  async findToken(hash: Uint8Array): Promise<Token | undefined> {
    const select = this.db.selectFrom("tokens").selectAll().where("hash", "=", hash);
    const row = await select.executeTakeFirst();
    return row === undefined ? undefined : tokenOf(row);
  }

  async revokeToken(id: string, at: number): Promise<boolean> {
    const { changes, repeated } = await this.#pool.run(records.revokeToken(text, id, at));
    if (changes > 0 || !repeated) return changes > 0;
    await this.#outlasts();
    const revoked = this.db.selectFrom("tokens").select("revoked_at").where("id", "=", id);
    return (await revoked.executeTakeFirst())?.revoked_at === at;
  }

  async writeMark(name: string, value: string): Promise<void> {
    await this.#pool.run(records.writeMark(text, name, value));
  }

  async raiseMark(name: string, count: number): Promise<void> {
    await this.#pool.run(records.raiseMark(text, name, count));
  }

  async claimMark(name: string, value: string): Promise<string> {
    await this.#pool.run(records.claimMark(text, name, value));
    return (await this.readMark(name)) ?? value;
  }

  /** Runs a change again while somebody else is faster. */
  async #change(statement: CompiledQuery<Change>): Promise<{ moved: boolean; repeated: boolean }> {
    let repeated = false;
    for (;;) {
      const answer: Answer<Change> = await this.#pool.run(statement, repeated);
      repeated = answer.repeated;
      const [{ seen, moved } = { seen: 0, moved: 0 }] = answer.rows;
      if (moved > 0 || seen === 0) return { moved: moved > 0, repeated };
    }
  }
}
