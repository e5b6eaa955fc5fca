import { sql, type Kysely } from "kysely";
import type { BlobOwner, OpenQuery, PageQuery, UploadQuery } from "./catalog.ts";
import {
  bytesStillDue,
  countsOfStates,
  expiring,
  filesPage,
  openPage,
  undigestedFiles,
  uploadsPage,
} from "./queries.ts";
import type { App, Epoch, PublishedFile, Token, Upload, UploadState } from "./records.ts";
import { noUploads } from "./records.ts";
import { appOf, epochOf, fileOf, tokenOf, uploadOf } from "./rows.ts";
import type { Schema } from "./schema.ts";

/** The reads that every SQL catalog does alike: bounded statements over what is committed. */
export abstract class CatalogReads {
  protected readonly db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.db = db;
  }

  async listUploads(query: UploadQuery): Promise<Upload[]> {
    return (await uploadsPage(this.db, query).execute()).map(uploadOf);
  }

  async listOpen(query: OpenQuery): Promise<Upload[]> {
    return (await openPage(this.db, query).execute()).map(uploadOf);
  }

  async countUploads(): Promise<Record<UploadState, number>> {
    const rows = await countsOfStates(this.db).execute();
    return { ...noUploads, ...Object.fromEntries(rows.map(({ state, count }) => [state, count])) };
  }

  async listOpenSince(since: number): Promise<Upload[]> {
    const rows = await this.#uploads()
      .where("state", "=", "open")
      .where("updated_at", ">=", since)
      .execute();
    return rows.map(uploadOf);
  }

  async bytesStillDue(since: number): Promise<number> {
    return (await bytesStillDue(this.db, since).executeTakeFirst())?.bytes ?? 0;
  }

  async listUncompleted(limit: number): Promise<Upload[]> {
    const rows = await this.#uploads()
      .where("state", "=", "open")
      .where("completes", "=", "at_length")
      .whereRef("offset", "=", "length")
      .limit(limit)
      .execute();
    return rows.map(uploadOf);
  }

  async findFile(id: string): Promise<PublishedFile | undefined> {
    const select = this.db.selectFrom("files").selectAll().where("id", "=", id);
    const row = await select.executeTakeFirst();
    return row === undefined ? undefined : fileOf(row);
  }

  async findFileOfUpload(uploadId: string): Promise<PublishedFile | undefined> {
    const select = this.db.selectFrom("files").selectAll().where("upload_id", "=", uploadId);
    const row = await select.executeTakeFirst();
    return row === undefined ? undefined : fileOf(row);
  }

  async listFiles(query: PageQuery): Promise<PublishedFile[]> {
    return (await filesPage(this.db, query).execute()).map(fileOf);
  }

  async listUndigested(limit: number): Promise<PublishedFile[]> {
    return (await undigestedFiles(this.db, limit).execute()).map(fileOf);
  }

  async listDoomed(before: number, limit: number): Promise<string[]> {
    const rows = await this.db
      .selectFrom("doomed_keys")
      .select("key")
      .where("doomed_at", "<=", before)
      .where(sql<boolean>`not exists (select 1 from extents where extents.key = doomed_keys.key)`)
      .orderBy("doomed_at")
      .limit(limit)
      .execute();
    return rows.map((row) => row.key);
  }

  async knownKeys(keys: readonly string[]): Promise<Set<string>> {
    if (keys.length === 0) return new Set();
    const rows = await this.db
      .selectFrom("extents")
      .select("key")
      .where("key", "in", keys)
      .union(this.db.selectFrom("doomed_keys").select("key").where("key", "in", keys))
      .execute();
    return new Set(rows.map((row) => row.key));
  }

  async listBlobs(after: string, limit: number): Promise<BlobOwner[]> {
    const rows = await this.db
      .selectFrom("extents")
      .select("blob_id")
      .distinct()
      .where("blob_id", ">", after)
      .orderBy("blob_id")
      .limit(limit)
      .execute();
    return Promise.all(
      rows.map(async ({ blob_id: blobId }) => {
        const upload = await this.#uploads().where("blob_id", "=", blobId).executeTakeFirst();
        const file = await this.db
          .selectFrom("files")
          .selectAll()
          .where("blob_id", "=", blobId)
          .executeTakeFirst();
        return {
          blobId,
          upload: upload === undefined ? undefined : uploadOf(upload),
          file: file === undefined ? undefined : fileOf(file),
        };
      }),
    );
  }

  async listApps(): Promise<App[]> {
    return (await this.db.selectFrom("apps").selectAll().orderBy("id").execute()).map(appOf);
  }

  async listTokens(appId: string | undefined): Promise<Token[]> {
    const all = this.db.selectFrom("tokens").selectAll().orderBy("created_at");
    const rows = await (appId === undefined ? all : all.where("app_id", "=", appId)).execute();
    return rows.map(tokenOf);
  }

  async readMark(name: string): Promise<string | undefined> {
    const select = this.db.selectFrom("marks").select("value").where("name", "=", name);
    return (await select.executeTakeFirst())?.value;
  }

  async listExpiring(now: number, limit: number): Promise<Upload[]> {
    return (await expiring(this.db, { now, limit, after: undefined }).execute()).map(uploadOf);
  }

  async listEpochs(blobId: string): Promise<Epoch[]> {
    const rows = await this.db
      .selectFrom("epochs")
      .selectAll()
      .where("blob_id", "=", blobId)
      .orderBy("base")
      .orderBy("opened_at")
      .execute();
    return rows.map(epochOf);
  }

  #uploads() {
    return this.db.selectFrom("uploads").selectAll();
  }
}
