import type * as Sdk from "@aws-sdk/client-s3";
import type * as Presigner from "@aws-sdk/s3-request-presigner";
import { asError, systemErrorCode } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import type { S3Location } from "./s3-location.ts";

/** The bucket and the ways to it. */
export interface S3Connection {
  readonly bucket: string;
  readonly sdk: typeof Sdk;
  readonly presigner: typeof Presigner;
  /** For everything but the reading of bytes, which may take as long as a client likes. */
  readonly client: Sdk.S3Client;
  readonly readingClient: Sdk.S3Client;
  close(): void;
}

/** Loads the SDK, which only servers with S3 need to have installed. */
export async function connectS3(location: S3Location): Promise<S3Connection> {
  const { sdk, presigner } = await loadSdk();
  const client = new sdk.S3Client({
    ...commonOptions(location),
    requestHandler: {
      ...agents(2 * limits.s3PutsInFlight),
      connectionTimeout: limits.s3ConnectMsMax,
      requestTimeout: limits.s3AttemptMsMax,
      throwOnRequestTimeout: true,
      socketTimeout: limits.s3SilentMsMax,
    },
  });
  const readingClient = new sdk.S3Client({
    ...commonOptions(location),
    requestHandler: {
      ...agents(limits.s3ReadsInFlight),
      connectionTimeout: limits.s3ConnectMsMax,
      // Until the answer's head. Its body may pause for as long as whoever takes it does.
      requestTimeout: limits.s3SilentMsMax,
      throwOnRequestTimeout: true,
      socketTimeout: 0,
    },
  });
  const close = (): void => {
    client.destroy();
    readingClient.destroy();
  };
  return { bucket: location.bucket, sdk, presigner, client, readingClient, close };
}

/** Options of a request that a signal ends. */
export function endedBy(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

function commonOptions({ endpoint, region, forcePathStyle }: S3Location) {
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    // Stores other than AWS mostly ignore it, but the signature wants one.
    ...(region === undefined && endpoint === undefined ? {} : { region: region ?? "us-east-1" }),
    forcePathStyle,
    maxAttempts: limits.s3AttemptsMax,
    retryMode: "standard" as const,
    // Other stores than AWS's may refuse or ignore digests that were not asked for.
    requestChecksumCalculation: "WHEN_REQUIRED" as const,
    responseChecksumValidation: "WHEN_REQUIRED" as const,
    // It costs a round trip for each part, and an agent that keeps no connection.
    expectContinueHeader: false,
  };
}

function agents(maxSockets: number) {
  const agent = { keepAlive: true, maxSockets, noDelay: true };
  return { httpAgent: agent, httpsAgent: agent };
}

async function loadSdk(): Promise<Pick<S3Connection, "sdk" | "presigner">> {
  try {
    const [sdk, presigner] = await Promise.all([
      import("@aws-sdk/client-s3"),
      import("@aws-sdk/s3-request-presigner"),
    ]);
    return { sdk, presigner };
  } catch (error) {
    if (systemErrorCode(error) !== "ERR_MODULE_NOT_FOUND") throw error;
    const packages = "@aws-sdk/client-s3 @aws-sdk/s3-request-presigner";
    const why = asError(error).message.split("\n")[0] ?? "";
    throw new Error(`storing in S3 needs packages of its own: npm install ${packages} (${why})`, {
      cause: error,
    });
  }
}
