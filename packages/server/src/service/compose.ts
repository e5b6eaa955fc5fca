import path from "node:path";
import { pino } from "pino";
import { Apps } from "../access/apps.ts";
import { Keyring } from "../access/keyring.ts";
import { Tokens } from "../access/tokens.ts";
import { systemClock } from "../base/clock.ts";
import { silentLog, type Log } from "../base/log.ts";
import { limits } from "../base/limits.ts";
import { systemRandom } from "../base/random.ts";
import { DiskBlobStore } from "../blobs/disk/disk-blob-store.ts";
import { NodeVolume } from "../blobs/disk/node-volume.ts";
import { SqliteCatalog } from "../catalog/sqlite.ts";
import { controlApp, controlListener } from "../control/control.ts";
import { Leases } from "../engine/lease.ts";
import type { EngineParts } from "../engine/parts.ts";
import { markCleanStop, quarantineOrphans, recover } from "../engine/recover.ts";
import { unguardedRemoval } from "../engine/removal-guard.ts";
import { Room, type RoomMarks } from "../engine/room.ts";
import { sweep } from "../engine/sweep.ts";
import { verify } from "../engine/verify.ts";
import { HttpServer } from "../http/server.ts";
import { GraphProtocol } from "../protocols/graph/index.ts";
import { SessionIds } from "../protocols/graph/session-id.ts";
import { Administration } from "./administration.ts";
import type { Config } from "./config.ts";
import { prepareLocalAccess, type LocalAccess } from "./local-access.ts";
import { descriptorsMax } from "./descriptors-max.ts";
import { ownDirectory } from "./own-directory.ts";

interface Rooms {
  readonly engine: EngineParts;
  readonly apps: Apps;
  readonly tokens: Tokens;
  readonly keyring: Keyring;
  readonly administration: Administration;
  close(): Promise<void>;
}

interface RoomsOptions {
  readonly dataDirectory: string;
  readonly key: string | undefined;
  readonly handleLifetimeMs: number;
  readonly marks: RoomMarks;
  /** Node's thread pool, of which syncs take at most half, so that writes go on. */
  readonly threadPoolSize: number;
  readonly log: Log;
  /** Called when durability can no longer be promised: the process must end. */
  readonly onFatal: (error: Error) => void;
  /** Called when the volume lost what it was to keep: the blob store acknowledges nothing more. */
  readonly onVolumeFailure: (error: Error) => void;
}

/** Opens a data directory: from here on this process is its only owner. */
async function openRooms(options: RoomsOptions): Promise<Rooms> {
  const { dataDirectory, log, onFatal } = options;
  const ownership = await ownDirectory(dataDirectory);
  try {
    const keyring = await Keyring.open(path.join(dataDirectory, "key"), options.key);
    const catalog = await SqliteCatalog.open(path.join(dataDirectory, "catalog.sqlite"), onFatal);
    const volume = await NodeVolume.open({
      directory: path.join(dataDirectory, "blobs"),
      quarantineDirectory: path.join(dataDirectory, "quarantine"),
      syncsMax: Math.max(1, Math.floor(options.threadPoolSize / 2)),
      // The larger part is for sockets.
      openFilesMax: Math.floor((await descriptorsMax()) * limits.openFilesShare),
    });
    const outside = { clock: systemClock, random: systemRandom };
    const { onVolumeFailure } = options;
    const blobs = new DiskBlobStore({
      ...outside,
      volume,
      cleanFilesMax: limits.cleanFilesMax,
      onVolumeFailure,
    });
    const apps = new Apps({ ...outside, catalog, keyring });
    const tokens = new Tokens({ ...outside, catalog, apps });
    const engine: EngineParts = {
      ...outside,
      catalog,
      blobs,
      log,
      room: new Room({ catalog, blobs, clock: systemClock, marks: options.marks }),
      leases: new Leases({ ...outside, catalog }),
      handleLifetimeMs: options.handleLifetimeMs,
      secretOf: async (appId) => (await apps.find(appId))?.secret,
      removalGuard: unguardedRemoval,
      assembly: "on-publish",
      redirectDownloads: false,
    };
    const administration = new Administration({
      apps,
      tokens,
      sweep: (wanted) => sweep(engine, wanted),
      verify: () => verify(engine),
    });
    const close = async (): Promise<void> => {
      await blobs.close();
      await catalog.close();
      ownership.release();
    };
    return { engine, apps, tokens, keyring, administration, close };
  } catch (error) {
    ownership.release();
    throw error;
  }
}

/** For the operator's commands where no server runs; DirectoryOwnedError where one does. */
export async function withLocalAdministration<Result>(
  dataDirectory: string,
  work: (administration: Administration) => Promise<Result>,
): Promise<Result> {
  const rooms = await openRooms({
    dataDirectory,
    key: undefined,
    handleLifetimeMs: limits.handleLifetimeMsDefault,
    marks: { softBytes: undefined, hardBytes: undefined },
    threadPoolSize: 4,
    log: silentLog,
    onFatal: failNow,
    onVolumeFailure: failNow,
  });
  try {
    return await work(rooms.administration);
  } finally {
    await rooms.close();
  }
}

function failNow(error: Error): never {
  throw error;
}

export interface RunningService {
  readonly url: string;
  readonly access: LocalAccess;
  /** Stops in order: every append is made durable, then everything is closed. */
  stop(): Promise<void>;
}

/** Starts the whole server. Resolves when it listens. */
export async function startService(
  config: Config,
  onFatal: (error: Error) => void,
): Promise<RunningService> {
  const log = createLog(config.logLevel);
  const health: Health = { volumeFailed: false };
  let http: HttpServer | undefined = undefined;
  const rooms = await openRooms({
    dataDirectory: config.dataDirectory,
    key: config.key,
    handleLifetimeMs: config.handleLifetimeMs,
    marks: { softBytes: config.softRoomBytes, hardBytes: config.hardRoomBytes },
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
  const stopChores = startChores(rooms.engine, config.sweepIntervalMs);
  const stop = async (): Promise<void> => {
    await stopChores();
    await server.drain();
    await markCleanStop(rooms.engine);
    await rooms.close();
  };
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
  const graph = new GraphProtocol({
    engine: rooms.engine,
    apps: rooms.apps,
    tokens: rooms.tokens,
    ids: new SessionIds(rooms.keyring.derive("graph upload id")),
    publicUrl: config.publicUrl,
    trustProxy: config.trustProxy,
  });
  const control = controlApp({
    administration: rooms.administration,
    authenticate: (token) => rooms.tokens.authenticate(token),
    ready: () => !http.draining && !health.volumeFailed,
    log,
  });
  const listener = controlListener(control);
  const http = new HttpServer({
    protocols: [graph],
    fallback: (request, response) => {
      void listener(request, response);
    },
    log,
    clock: systemClock,
    random: systemRandom,
  });
  return http;
}

/** Sweeping at an interval, and one look for orphans. The returned function ends both. */
function startChores(engine: EngineParts, sweepIntervalMs: number): () => Promise<void> {
  const ending = new AbortController();
  const chores = (async () => {
    try {
      await quarantineOrphans(engine, ending.signal);
      while (!ending.signal.aborted) {
        await engine.clock.sleep(sweepIntervalMs, ending.signal);
        await sweep(engine, { dryRun: false });
      }
    } catch (error) {
      if (!ending.signal.aborted) engine.log.error({ err: error }, "sweeping failed");
    }
  })();
  return async () => {
    ending.abort();
    await chores;
  };
}

/** JSON lines on standard error; standard output is for what a person or a script waits for. */
function createLog(level: Config["logLevel"]): Log {
  return pino({ level, base: null }, pino.destination({ dest: 2, sync: false }));
}
