import { createServer } from "node:http";
import { Upload } from "@aws-sdk/lib-storage";
import { connectS3 } from "../../packages/server/src/blobs/s3/s3-client.ts";
import { beforeSigning, settingHeaders } from "../../packages/server/src/blobs/s3/s3-headers.ts";
import { parseS3Location } from "../../packages/server/src/blobs/s3/s3-location.ts";
import { listen } from "./listen.ts";

/*
 * The least that a server on Node can do to have a body in S3: AWS's own uploader on the request,
 * with the same client, part size, parts in flight and digest as Hawser. Nothing can be resumed.
 *   lib-storage-main.ts LOCATION DIGEST
 */
const [location = "", digest = ""] = process.argv.slice(2);
const { client, bucket } = await connectS3(parseS3Location(location));
const unsigned = settingHeaders({ "x-amz-content-sha256": "UNSIGNED-PAYLOAD" });
// Without it the SDK signs each part's SHA-256.
if (digest !== "sha256") client.middlewareStack.add(unsigned, beforeSigning);
const checksum = digest === "crc32" ? { ChecksumAlgorithm: "CRC32" as const } : {};

const server = createServer((request, response) => {
  const target = { Bucket: bucket, Key: `bench${request.url ?? ""}`, ...checksum };
  const params = { ...target, Body: request };
  const upload = new Upload({ client, params, partSize: 8 * 1024 ** 2, queueSize: 4 });
  upload.done().then(
    () => response.end("stored\n"),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
listen(server);
