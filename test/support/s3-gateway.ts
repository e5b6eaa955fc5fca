import { S3Client } from "@aws-sdk/client-s3";

import type { RawAddress } from "./raw-http.ts";

export interface S3Place {
  readonly prefix: string;
  /** Where the gateway is reached instead, such as through a proxy. */
  readonly endpoint?: string;
  readonly partMib?: number;
}

export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A real S3 store on loopback, for tests: where it is and who may use it. */
export class S3Gateway {
  readonly bucket = "hawser-test";
  readonly address: RawAddress;
  readonly #keys: S3Keys;

  constructor(address: RawAddress, keys: S3Keys) {
    this.address = address;
    this.#keys = keys;
  }

  /** What a process needs to be let in. */
  get environment() {
    const { accessKeyId, secretAccessKey } = this.#keys;
    return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  }

  get endpoint(): string {
    return `http://${this.address.host}:${this.address.port}`;
  }

  /** The location of a store in this gateway, as an operator would write it. */
  location({ prefix, endpoint = this.endpoint, partMib }: S3Place): string {
    const options = new URLSearchParams({ endpoint, forcePathStyle: "true", createBucket: "true" });
    if (partMib !== undefined) options.set("part-mib", `${partMib}`);
    return `s3://${this.bucket}/${prefix}?${options.toString()}`;
  }

  /** To look behind a store's back. */
  client(): S3Client {
    return new S3Client({
      endpoint: this.endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: this.#keys,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
  }
}
