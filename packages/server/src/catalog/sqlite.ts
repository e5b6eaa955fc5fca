import type { DatabaseSync } from "node:sqlite";
import type {
  Advance,
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
import {
  type ExpiringQuery,
  advanceSteps,
  doomSteps,
  endSteps,
  expireSteps,
  expiring,
  step,
} from "./queries.ts";
import type { App, Assembly, Epoch, Extent, PublishedFile, Token, Upload } from "./records.ts";
import {
  appOf,
  appRow,
  assemblyOf,
  epochOf,
  extentOf,
  fileRow,
  tokenOf,
  tokenRow,
  uploadOf,
} from "./rows.ts";
import type {
  AppsTable,
  AssembliesTable,
  ExtentsTable,
  TokensTable,
  UploadsTable,
} from "./schema.ts";
import { openForReading, openForWriting, Statements } from "./sqlite-database.ts";
import { kyselyOver } from "./sqlite-kysely.ts";
import {
  claimAssembly,
  closeEpoch,
  dueEpochs,
  finishAssemblySteps,
  noteEpochLook,
  openEpoch,
  openEpochs,
  putOffAssembly,
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
    (await openForWriting(path)).close();
    const writer = await SqliteWriter.open(path, onFailure);
    return new SqliteCatalog(writer, openForReading(path));
  }

  async close(): Promise<void> {
    await this.#writer.close();
    this.#reader.close();
  }

  async insertUpload(upload: Upload, within?: PromisedRoom): Promise<boolean> {
    return (await this.#writer.change([this.#hot.insertUpload(upload, within)])).kind === "done";
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
      const result = await this.#writer.take(id, fence, this.#hot.selectUpload.step({ id }));
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
    const remove = this.db
      .deleteFrom("uploads")
      .where("state", "in", ["cancelled", "expired", "rejected"])
      .where("updated_at", "<", before)
      .returning("id");
    const result = await this.#writer.change([step(remove)]);
    return result.kind === "done" ? result.rows.length : 0;
  }

  async insertFile(file: PublishedFile): Promise<PublishedFile | undefined> {
    const row = fileRow(file);
    const columns = [
      "id",
      "app_id",
      "upload_id",
      "blob_id",
      "name",
      "description",
      "type",
      "size",
      "crc32",
      "sha256",
      "created_at",
    ] as const;
    // Only from an upload that is still complete: its bytes cannot have been doomed meanwhile.
    const insert = this.db
      .insertInto("files")
      .columns(columns)
      .expression(
        this.db
          .selectFrom("uploads")
          .select((build) => columns.map((column) => build.val(row[column] ?? null).as(column)))
          .where("id", "=", file.uploadId)
          .where("state", "=", "complete"),
      )
      .onConflict((conflict) => conflict.column("upload_id").doNothing());
    await this.#writer.change([step(insert)]);
    return this.findFileOfUpload(file.uploadId);
  }

  async setFileSha256(id: string, sha256: string): Promise<void> {
    await this.#writer.change([
      step(this.db.updateTable("files").set({ sha256 }).where("id", "=", id)),
    ]);
  }

  async removeFile(id: string, at: number): Promise<boolean> {
    const file = await this.findFile(id);
    if (file === undefined) return false;
    const result = await this.#writer.change([
      step(this.db.deleteFrom("files").where("id", "=", id), 1),
      step(
        this.db
          .updateTable("uploads")
          .set({ state: "expired", reason: "its file was deleted", updated_at: at })
          .where("id", "=", file.uploadId),
      ),
      ...doomSteps(this.db, file.blobId, at),
    ]);
    return result.kind === "done";
  }

  async forgetDoomed(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await this.#writer.change([step(this.db.deleteFrom("doomed_keys").where("key", "in", keys))]);
  }

  async insertApp(app: App): Promise<boolean> {
    const insert = this.db
      .insertInto("apps")
      .values(appRow(app))
      .onConflict((conflict) => conflict.column("id").doNothing());
    return (await this.#writer.change([step(insert, 1)])).kind === "done";
  }

  async updateApp(app: App): Promise<boolean> {
    const { id, ...changes } = appRow(app);
    const update = this.db.updateTable("apps").set(changes).where("id", "=", id);
    return (await this.#writer.change([step(update, 1)])).kind === "done";
  }

  async findApp(id: string): Promise<App | undefined> {
    const [row] = await this.#read<AppsTable, "id">(this.#hot.selectApp, { id });
    return row === undefined ? undefined : appOf(row);
  }

  async insertToken(token: Token): Promise<void> {
    await this.#writer.change([step(this.db.insertInto("tokens").values(tokenRow(token)))]);
  }

  async findToken(hash: Uint8Array): Promise<Token | undefined> {
    const [row] = await this.#read<TokensTable, "hash">(this.#hot.selectToken, { hash });
    return row === undefined ? undefined : tokenOf(row);
  }

  async revokeToken(id: string, at: number): Promise<boolean> {
    const revoke = this.db
      .updateTable("tokens")
      .set({ revoked_at: at })
      .where("id", "=", id)
      .where("revoked_at", "is", null);
    return (await this.#writer.change([step(revoke, 1)])).kind === "done";
  }

  async writeMark(name: string, value: string): Promise<void> {
    const write = this.db
      .insertInto("marks")
      .values({ name, value })
      .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }));
    await this.#writer.change([step(write)]);
  }

  async claimMark(name: string, value: string): Promise<string> {
    const claim = this.db
      .insertInto("marks")
      .values({ name, value })
      .onConflict((conflict) => conflict.column("name").doNothing());
    await this.#writer.change([step(claim)]);
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
    return (await dueEpochs(this.db, look).execute()).map(epochOf);
  }

  async noteEpochLook(fence: string, nextAt: number | undefined): Promise<void> {
    await this.#writer.change([step(noteEpochLook(this.db, fence, nextAt))]);
  }

  async requestAssembly(blobId: string, at: number): Promise<void> {
    await this.#writer.change([step(requestAssembly(this.db, blobId, at))]);
  }

  async claimAssembly(claim: AssemblyClaim): Promise<Assembly | undefined> {
    const result = await this.#writer.change([step(claimAssembly(this.db, claim))]);
    // The statement returns whole rows of one table.
    const row = (result.kind === "done" ? result.rows[0] : undefined) as
      AssembliesTable | undefined;
    return row === undefined ? undefined : assemblyOf(row);
  }

  async finishAssembly(finish: AssemblyFinish): Promise<CommitOutcome> {
    return (await this.#writer.change(finishAssemblySteps(this.db, finish))).kind;
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
