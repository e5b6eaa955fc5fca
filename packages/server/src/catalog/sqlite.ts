import type { DatabaseSync } from "node:sqlite";
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
import { CatalogReads } from "./catalog-reads.ts";
import { HotQueries } from "./hot-queries.ts";
import type { Prepared, Values } from "./prepared.ts";
import { type ExpiringQuery, expiring, removeEndedUploads } from "./queries.ts";
import {
  claimMark,
  forgetDoomed,
  insertApp,
  insertToken,
  putOffDoomed,
  raiseMark,
  revokeToken,
  setFileSha256,
  setUploadSha256,
  updateApp,
  writeMark,
} from "./record-queries.ts";
import type { App, Assembly, Epoch, Extent, PublishedFile, Token, Upload } from "./records.ts";
import { appOf, assemblyOf, epochOf, extentOf, tokenOf, uploadOf, uploadRow } from "./rows.ts";
import type {
  AppsTable,
  AssembliesTable,
  ExtentsTable,
  TokensTable,
  UploadsTable,
} from "./schema.ts";
import {
  advanceSteps,
  boundStep,
  endSteps,
  expireSteps,
  finishAssemblySteps,
  insertFileSteps,
  removeFileSteps,
  step,
} from "./sqlite-changes.ts";
import { openForReading, prepareSchema, Statements } from "./sqlite-database.ts";
import { kyselyOver } from "./sqlite-kysely.ts";
import {
  claimableAssembly,
  claimAssembly,
  closeAssemblyEpochs,
  closeEpoch,
  dueEpochs,
  noteEpochLook,
  openEpoch,
  openEpochs,
  putOffAssembly,
  putOffEpochLook,
  requestAssembly,
} from "./store-queries.ts";
import type { Step, WriteCondition } from "./sqlite-messages.ts";
import { SqliteWriter } from "./sqlite-writer.ts";

/**
 * The embedded catalog. Writes go to the writer worker; reads are bounded statements on a
 * read-only connection of this thread and show only what is committed.
 */
export class SqliteCatalog extends CatalogReads implements Catalog {
  readonly #writer: SqliteWriter;
  readonly #reader: DatabaseSync;
  readonly #statements: Statements;
  readonly #hot: HotQueries;
  /** Uploads of which changes are on their way to the writer, and how many. */
  readonly #changing = new Map<string, number>();

  private constructor(writer: SqliteWriter, reader: DatabaseSync) {
    const statements = new Statements(reader);
    super(kyselyOver(reader, statements));
    this.#writer = writer;
    this.#reader = reader;
    this.#statements = statements;
    this.#hot = new HotQueries(this.db);
  }

  /** @param onFailure called when the outcome of a commit is unknown: the process must end. */
  static async open(path: string, onFailure: (error: Error) => void): Promise<SqliteCatalog> {
    // A new schema is made here: what makes it is large, and loaded here anyway. The writer's
    // thread, which opens it next, then has no use for it.
    await prepareSchema(path);
    const writer = await SqliteWriter.open(path, onFailure);
    return new SqliteCatalog(writer, openForReading(path));
  }

  async close(): Promise<void> {
    await this.#writer.close();
    this.#reader.close();
  }

  async insertUpload(upload: Upload, within?: PromisedRoom): Promise<boolean> {
    const row = uploadRow(upload);
    const insert =
      within === undefined
        ? boundStep(this.#hot.insertUpload, row)
        : boundStep(this.#hot.insertUploadWithin, { ...row, ...within }, 1);
    return (await this.#writer.change([insert])).kind === "done";
  }

  async findUpload(id: string): Promise<Upload | undefined> {
    const [row] = await this.#read<UploadsTable, "id">(this.#hot.selectUpload, { id });
    return row === undefined ? undefined : uploadOf(row);
  }

  async listExtents(blobId: string): Promise<Extent[]> {
    const rows = await this.#read<ExtentsTable, "blobId">(this.#hot.selectExtents, { blobId });
    return rows.map(extentOf);
  }

  async takeLease(id: string, fence: string): Promise<Upload | undefined> {
    const row = await this.#fence(id, fence);
    if (row === undefined) {
      this.#writer.release(id, fence);
      return undefined;
    }
    return uploadOf(row);
  }

  /** The row as it stands once the fence is up; it waits for the writer only when it has to. */
  async #fence(id: string, fence: string): Promise<UploadsTable | undefined> {
    if (this.#changing.has(id)) {
      const result = await this.#writer.take(id, fence, boundStep(this.#hot.selectUpload, { id }));
      // The statement above selects whole rows of this table.
      return result.kind === "done" ? (result.rows[0] as UploadsTable | undefined) : undefined;
    }
    // No change of this upload is under way, and none that is asked for later passes the fence.
    this.#writer.fence(id, fence);
    const [row] = await this.#read<UploadsTable, "id">(this.#hot.selectUpload, { id });
    return row;
  }

  /** One process owns the file: nobody else can want a lease. */
  onLeaseWanted(): void {
    return undefined;
  }

  /** Nobody else can write, either. */
  heldElsewhere(): Promise<Set<string>> {
    return Promise.resolve(new Set());
  }

  async #change(steps: readonly Step[], only: WriteCondition): Promise<CommitOutcome> {
    const { id } = only;
    this.#changing.set(id, (this.#changing.get(id) ?? 0) + 1);
    try {
      return (await this.#writer.change(steps, only)).kind;
    } finally {
      const left = (this.#changing.get(id) ?? 1) - 1;
      if (left === 0) this.#changing.delete(id);
      else this.#changing.set(id, left);
    }
  }

  /** Not waited for: whatever is asked of the writer later finds the fence gone. */
  releaseLease(id: string, fence: string): Promise<void> {
    this.#writer.release(id, fence);
    return Promise.resolve();
  }

  async advance(advance: Advance): Promise<CommitOutcome> {
    const only = { kind: "fenced", id: advance.id, fence: advance.fence } as const;
    return await this.#change(advanceSteps(this.#hot, this.db, advance), only);
  }

  async end(ending: EndUpload): Promise<CommitOutcome> {
    const only = { kind: "fenced", id: ending.id, fence: ending.fence } as const;
    return await this.#change(endSteps(this.db, ending), only);
  }

  async expireUploads(now: number, limit: number): Promise<string[]> {
    const expired: string[] = [];
    let after: Upload | undefined;
    // Those that are held count towards no limit: a page full of them must not starve the others.
    while (expired.length < limit) {
      const page = await this.#listExpiring({ now, limit: limit - expired.length, after });
      after = page.at(-1);
      if (after === undefined) break;
      expired.push(...(await this.#expire(page, now)));
    }
    return expired;
  }

  async removeEndedUploads(before: number): Promise<number> {
    const result = await this.#writer.change([step(removeEndedUploads(this.db, before))]);
    return result.kind === "done" ? result.rows.length : 0;
  }

  async insertFile(file: PublishedFile): Promise<PublishedFile | undefined> {
    await this.#writer.change(insertFileSteps(this.db, file));
    return this.findFileOfUpload(file.uploadId);
  }

  async setFileSha256(id: string, sha256: string): Promise<void> {
    await this.#writer.change([step(setFileSha256(this.db, id, sha256))]);
  }

  async setUploadSha256(id: string, sha256: string): Promise<void> {
    await this.#writer.change([step(setUploadSha256(this.db, id, sha256))]);
  }

  async removeFile(id: string, at: number): Promise<boolean> {
    const file = await this.findFile(id);
    if (file === undefined) return false;
    return (await this.#writer.change(removeFileSteps(this.db, file, at))).kind === "done";
  }

  async forgetDoomed(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await this.#writer.change([step(forgetDoomed(this.db, keys))]);
  }

  async putOffDoomed(keys: readonly string[], at: number): Promise<void> {
    if (keys.length === 0) return;
    await this.#writer.change([step(putOffDoomed(this.db, keys, at))]);
  }

  async insertApp(app: App): Promise<boolean> {
    return (await this.#writer.change([step(insertApp(this.db, app), 1)])).kind === "done";
  }

  async updateApp(id: string, update: AppUpdate): Promise<boolean> {
    return (await this.#writer.change([step(updateApp(this.db, id, update), 1)])).kind === "done";
  }

  async findApp(id: string): Promise<App | undefined> {
    const [row] = await this.#read<AppsTable, "id">(this.#hot.selectApp, { id });
    return row === undefined ? undefined : appOf(row);
  }

  async insertToken(token: Token): Promise<void> {
    await this.#writer.change([step(insertToken(this.db, token))]);
  }

  async findToken(hash: Uint8Array): Promise<Token | undefined> {
    const [row] = await this.#read<TokensTable, "hash">(this.#hot.selectToken, { hash });
    return row === undefined ? undefined : tokenOf(row);
  }

  async revokeToken(id: string, at: number): Promise<boolean> {
    return (await this.#writer.change([step(revokeToken(this.db, id, at), 1)])).kind === "done";
  }

  async writeMark(name: string, value: string): Promise<void> {
    await this.#writer.change([step(writeMark(this.db, name, value))]);
  }

  async raiseMark(name: string, count: number): Promise<void> {
    await this.#writer.change([step(raiseMark(this.db, name, count))]);
  }

  async claimMark(name: string, value: string): Promise<string> {
    await this.#writer.change([step(claimMark(this.db, name, value))]);
    return (await this.readMark(name)) ?? value;
  }

  async openEpoch(epoch: Epoch): Promise<void> {
    await this.#writer.change([step(openEpoch(this.db, epoch))]);
  }

  async closeEpoch(fence: string, at: number): Promise<void> {
    await this.#writer.change([step(closeEpoch(this.db, fence, at))]);
  }

  async listEpochsDue(look: EpochLook): Promise<Epoch[]> {
    for (const { fence, upload_id: id } of await openEpochs(this.db).execute()) {
      // The writer knows best which fence is current, and later ones are drawn anew.
      const only = { kind: "unless_fenced", id: id ?? "", fence } as const;
      await this.#change([step(closeEpoch(this.db, fence, look.now))], only);
    }
    await this.#writer.change([step(closeAssemblyEpochs(this.db, look.now))]);
    return (await dueEpochs(this.db, look).execute()).map(epochOf);
  }

  async noteEpochLook(fence: string, nextAt: number | undefined): Promise<void> {
    await this.#writer.change([step(noteEpochLook(this.db, fence, nextAt))]);
  }

  async putOffEpochLook(fence: string, dueAt: number): Promise<void> {
    await this.#writer.change([step(putOffEpochLook(this.db, fence, dueAt))]);
  }

  async requestAssembly(blobId: string, at: number): Promise<void> {
    await this.#writer.change([step(requestAssembly(this.db, blobId, at))]);
  }

  async claimAssembly(claim: AssemblyClaim): Promise<Assembly | undefined> {
    const claimable = claimableAssembly(this.db, claim);
    const result = await this.#writer.change([step(claimAssembly(this.db, claim, claimable))]);
    // The statement returns whole rows of one table.
    const row = (result.kind === "done" ? result.rows[0] : undefined) as
      AssembliesTable | undefined;
    return row === undefined ? undefined : assemblyOf(row);
  }

  async finishAssembly(finish: AssemblyFinish): Promise<CommitOutcome> {
    return (await this.#writer.change(finishAssemblySteps(this.#hot, this.db, finish))).kind;
  }

  async putOffAssembly(blobId: string, nonce: string, dueAt: number | undefined): Promise<void> {
    await this.#writer.change([step(putOffAssembly(this.db, { blobId, nonce, dueAt }))]);
  }

  #read<Row, Name extends string>(query: Prepared<Name>, values: Values<Name>): Promise<Row[]> {
    const { statement } = this.#statements.get(query.sql);
    // These statements select whole rows of one table.
    return Promise.resolve(statement.all(...query.bind(values)) as Row[]);
  }

  async #listExpiring(query: ExpiringQuery): Promise<Upload[]> {
    return (await expiring(this.db, query).execute()).map(uploadOf);
  }

  /** Those of them that nobody holds; returns their ids. */
  async #expire(uploads: readonly Upload[], now: number): Promise<string[]> {
    const expired = await Promise.all(
      uploads.map(async (upload) => {
        const only = { kind: "unfenced", id: upload.id } as const;
        const outcome = await this.#change(expireSteps(this.db, upload, now), only);
        return outcome === "done" ? [upload.id] : [];
      }),
    );
    return expired.flat();
  }
}
