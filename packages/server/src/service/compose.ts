import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { Apps } from "../access/apps.ts";
import type { Keyring } from "../access/keyring.ts";
import { PreviewLinks } from "../access/preview-links.ts";
import { Tokens } from "../access/tokens.ts";
import { systemClock } from "../base/clock.ts";
import { silentLog, type Log } from "../base/log.ts";
import { limits } from "../base/limits.ts";
import { systemRandom } from "../base/random.ts";
import { controlApp, controlListener } from "../control/control.ts";
import { LiveView } from "../control/live-view.ts";
import { PreviewProtocol, type PreviewParts } from "../control/previews.ts";
import { RecentErrors } from "../control/recent-errors.ts";
import { watchThroughput } from "../control/throughput.ts";
import { Activity } from "../engine/activity.ts";
import { Leases } from "../engine/lease.ts";
import type { AssemblyPolicy, EngineParts } from "../engine/parts.ts";
import type { Upload } from "../engine/records.ts";
import { markCleanStop, recover } from "../engine/recover.ts";
import { unguardedRemoval, type CatalogGuard } from "../engine/removal-guard.ts";
import { repair, type RepairReport } from "../engine/repair.ts";
import { Room, type RoomMarks } from "../engine/room.ts";
import { sweep } from "../engine/sweep.ts";
import { verify } from "../engine/verify.ts";
import { HttpServer } from "../http/server.ts";
import { GraphProtocol } from "../protocols/graph/index.ts";
import { defaultVersion } from "../protocols/graph/route.ts";
import { SessionIds } from "../protocols/graph/session-id.ts";
import { IetfDialect } from "../protocols/ietf/index.ts";
import { UploadsProtocol } from "../protocols/standard/index.ts";
import { TusDialect } from "../protocols/tus/index.ts";
import { Administration } from "./administration.ts";
import type { Config, StorageConfig } from "./config.ts";
import { exportDeployment, type ExportReport } from "./export.ts";
import { importDeployment, type ImportReport } from "./import.ts";
import { doChores } from "./chores.ts";
import { prepareLocalAccess, type LocalAccess } from "./local-access.ts";
import { stopInTime } from "./stop.ts";
import {
  migrateCatalog,
  openRecords,
  openStorage,
  type BlobsUse,
  type Storage,
  type StorageOptions,
} from "./storage.ts";

interface Rooms {
  readonly engine: EngineParts;
  readonly apps: Apps;
  readonly tokens: Tokens;
  readonly keyring: Keyring;
  readonly administration: Administration;
  readonly removalGuard: CatalogGuard | undefined;
  close(): Promise<void>;
}

interface RoomsOptions extends StorageOptions {
  readonly handleLifetimeMs: number;
  readonly marks: RoomMarks;
  readonly assembly: AssemblyPolicy;
  readonly redirectDownloads: boolean;
  /** Ends what works through a backlog; nothing does where it is left out. */
  readonly ending?: AbortSignal;
}

const outside = { clock: systemClock, random: systemRandom };

async function openRooms(options: RoomsOptions, use: BlobsUse = "everything"): Promise<Rooms> {
  const storage = await openStorage(options, use);
  const { keyring, removalGuard } = storage;
  const { apps, tokens } = accessOver(storage);
  const engine = engineOver(options, storage, apps);
  const administration = new Administration({
    apps,
    tokens,
    sweep: (wanted) => sweep(engine, { ...wanted, signal: options.ending }),
    verify: () => verify(engine),
  });
  const close = (): Promise<void> => storage.close();
  return { engine, apps, tokens, keyring, administration, removalGuard, close };
}

function accessOver({ catalog, keyring }: Pick<Storage, "catalog" | "keyring">) {
  const apps = new Apps({ ...outside, catalog, keyring });
  return { apps, tokens: new Tokens({ ...outside, catalog, apps }) };
}

function engineOver(
  options: RoomsOptions,
  { catalog, blobs, removalGuard }: Pick<Storage, "catalog" | "blobs" | "removalGuard">,
  apps: Apps,
): EngineParts {
  return {
    ...outside,
    catalog,
    blobs,
    log: options.log,
    room: new Room({ catalog, blobs, clock: systemClock, marks: options.marks }),
    leases: new Leases({ ...outside, catalog }),
    activity: new Activity(systemClock),
    handleLifetimeMs: options.handleLifetimeMs,
    secretOf: async (appId) => (await apps.find(appId))?.secret,
    removalGuard: removalGuard ?? unguardedRemoval,
    assembly: options.assembly,
    redirectDownloads: options.redirectDownloads,
  };
}

/**
 * For the operator's commands where no server runs; DirectoryOwnedError where one does. The bytes
 * are opened by those verbs alone that want them.
 */
export async function withLocalAdministration<Result>(
  config: StorageConfig,
  work: (administration: Administration) => Promise<Result>,
): Promise<Result> {
  const options = localOptions(config);
  const records = await openRecords(options);
  const { catalog } = records;
  const { apps, tokens } = accessOver(records);
  const openEngine = async (use: BlobsUse): Promise<EngineParts> =>
    engineOver(options, { catalog, ...(await records.openBlobs(use)) }, apps);
  const administration = new Administration({
    apps,
    tokens,
    sweep: async (wanted) =>
      sweep(await openEngine(wanted.dryRun ? "reading" : "everything"), wanted),
    verify: async () => verify(await openEngine("reading")),
  });
  try {
    return await work(administration);
  } finally {
    await records.close();
  }
}

/** Writes the whole deployment to a directory. No server may run on it. */
export function exportTo(config: StorageConfig, directory: string): Promise<ExportReport> {
  return withLocalRooms(config, "reading", ({ engine }) => exportDeployment(engine, directory));
}

/** Gives a restored catalog back what the bucket still knows; `go` lets bytes be removed again. */
export function repairCatalog(
  config: StorageConfig,
  options: { readonly dryRun: boolean; readonly go: boolean },
): Promise<RepairReport> {
  return withLocalRooms(config, "reading", async ({ engine, removalGuard }) => {
    const report = await repair(engine, { dryRun: options.dryRun });
    if (options.go && !options.dryRun) await removalGuard?.allow();
    return report;
  });
}

/** Reads in what `exportTo` wrote. */
export function importFrom(config: StorageConfig, directory: string): Promise<ImportReport> {
  return withLocalRooms(config, "everything", (rooms) => importDeployment(rooms, directory));
}

async function withLocalRooms<Result>(
  config: StorageConfig,
  use: BlobsUse,
  work: (rooms: Rooms) => Promise<Result>,
): Promise<Result> {
  const rooms = await openRooms(localOptions(config), use);
  try {
    return await work(rooms);
  } finally {
    await rooms.close();
  }
}

function localOptions(config: StorageConfig): RoomsOptions {
  return {
    config,
    handleLifetimeMs: limits.handleLifetimeMsDefault,
    marks: { softBytes: undefined, hardBytes: undefined },
    assembly: "never",
    redirectDownloads: false,
    threadPoolSize: 4,
    log: silentLog,
    onFatal: failNow,
    onVolumeFailure: failNow,
  };
}

function failNow(error: Error): never {
  throw error;
}

export interface RunningService {
  readonly url: string;
  readonly access: LocalAccess;
  /** Stops in order and in time: every append is made durable, then everything is closed. */
  stop(): Promise<void>;
}

/** Starts the whole server. Resolves when it listens. */
export async function startService(
  config: Config,
  onFatal: (error: Error) => void,
): Promise<RunningService> {
  const log = createLog(config.logLevel);
  if (config.migrate && config.catalogUrl !== undefined) await migrateCatalog(config.catalogUrl);
  const health: Health = { volumeFailed: false };
  const ending = new AbortController();
  let http: HttpServer | undefined = undefined;
  const rooms = await openRooms({
    config,
    handleLifetimeMs: config.handleLifetimeMs,
    marks: { softBytes: config.softRoomBytes, hardBytes: config.hardRoomBytes },
    assembly: config.assemble,
    redirectDownloads: config.redirectDownloads,
    ending: ending.signal,
    threadPoolSize: config.threadPoolSize,
    log,
    onFatal: (error) => {
      log.fatal({ err: error }, "durability cannot be promised any more: ending");
      onFatal(error);
    },
    onVolumeFailure: (error) => {
      log.fatal({ err: error }, "the volume failed: nothing is acknowledged until a restart");
      health.volumeFailed = true;
      // Whoever is connected is told so; then the process ends, to be started anew.
      void Promise.resolve(http?.drain()).finally(() => {
        onFatal(error);
      });
    },
  });
  const report = await recover(rooms.engine);
  if (!report.cleanStart) log.info(report, "recovered after an unclean stop");
  const server = createHttp(rooms, config, { log, health });
  http = server;
  const { port } = await server.listen(config.host, config.port);
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  const url = `http://${host}:${port}`;
  const access = await prepareLocalAccess(rooms, config, url);
  if (config.open) rooms.tokens.openTo(access.appId);
  const { sweepIntervalMs } = config;
  const chores = doChores(rooms.engine, { sweepIntervalMs, signal: ending.signal });
  const stopNow = (): Promise<void> => {
    ending.abort();
    return stopInTime({
      clock: systemClock,
      log,
      working: [server.drain(), chores],
      close: async () => {
        await markCleanStop(rooms.engine);
        await rooms.close();
      },
    });
  };
  let stopping: Promise<void> | undefined;
  // A supervisor and a terminal may both ask for it, and more than once.
  const stop = (): Promise<void> => (stopping ??= stopNow());
  return { url, access, stop };
}

/** Set once, by whatever makes this process unfit to acknowledge anything. */
interface Health {
  volumeFailed: boolean;
}

function createHttp(
  rooms: Rooms,
  config: Config,
  { log, health }: { readonly log: Log; readonly health: Health },
): HttpServer {
  const ids = new SessionIds(rooms.keyring.derive("graph upload id"));
  const { engine, apps, tokens } = rooms;
  const { publicUrl, trustProxy } = config;
  const graph = new GraphProtocol({ engine, apps, tokens, ids, publicUrl, trustProxy });
  const graphPathOf = (upload: Upload): string => `/${defaultVersion}/${ids.format(upload)}`;
  const { interimAnswers } = config;
  const uploads = new UploadsProtocol(
    { engine, apps, tokens, graphPathOf, publicUrl, trustProxy },
    { tus: new TusDialect(), ietf: new IetfDialect({ interimAnswers }) },
  );
  const errors = new RecentErrors(systemClock);
  const previews: PreviewParts = {
    engine: rooms.engine,
    links: new PreviewLinks(rooms.keyring.derive("preview link"), systemClock),
    uploadOfGraphId: (id) => ids.parseWhole(id),
  };
  const control = controlApp({
    administration: rooms.administration,
    authenticate: (token) => rooms.tokens.authenticate(token),
    live: {
      engine: rooms.engine,
      view: new LiveView({ engine: rooms.engine, graphIdOf: (upload) => ids.format(upload) }),
      samples: watchThroughput(rooms.engine.activity, systemClock),
      errors: errors.errors,
      node: `${hostname()} ${process.pid}`,
      closing: () => http.draining,
      log,
    },
    me: { apps: rooms.apps, graphVersion: defaultVersion },
    previews,
    pageDirectory: fileURLToPath(new URL("../../web", import.meta.url)),
    ready: () => !http.draining && !health.volumeFailed,
    log,
  });
  const listener = controlListener(control);
  const http = new HttpServer({
    protocols: [uploads, graph, new PreviewProtocol(previews)],
    fallback: (request, response) => {
      void listener(request, response);
    },
    log,
    clock: systemClock,
    random: systemRandom,
    corsOrigins: config.corsOrigins,
    onAnswered: (answered) => {
      errors.note(answered);
    },
  });
  return http;
}

/** JSON lines on standard error; standard output is for what a person or a script waits for. */
function createLog(level: Config["logLevel"]): Log {
  return pino({ level, base: null }, pino.destination({ dest: 2, sync: false }));
}
