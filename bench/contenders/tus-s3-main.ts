import { createServer } from "node:http";
import { S3Store } from "@tus/s3-store";
import { Server } from "@tus/server";
import { listen } from "./listen.ts";

/*
 * The peer as its own documentation starts it, on another store than AWS's, which knows nothing of
 * the digests that the SDK adds unasked: ENDPOINT BUCKET.
 */
const [endpoint = "", bucket = ""] = process.argv.slice(2);
const datastore = new S3Store({
  partSize: 8 * 1024 ** 2,
  s3ClientConfig: {
    ...{ bucket, endpoint, region: "us-east-1", forcePathStyle: true },
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  },
});
const tus = new Server({ path: "/files", datastore });
listen(createServer((request, response) => void tus.handle(request, response)));
