import { expect, test } from "vitest";
import { parseS3Location, S3LocationError } from "./s3-location.ts";

test("a bucket alone is a location, with AWS's own address", () => {
  expect(parseS3Location("s3://bucket")).toEqual({
    bucket: "bucket",
    prefix: "",
    endpoint: undefined,
    region: undefined,
    forcePathStyle: false,
    createBucket: false,
    partBytes: 8_388_608,
  });
});

test("prefix and options are read, and the location cannot be changed", () => {
  const options = "endpoint=http://127.0.0.1:9000&region=eu-1&forcePathStyle=true";
  const location = parseS3Location(`s3://my.bucket/a/b/?${options}&createBucket=true&part-mib=16`);
  expect(location).toEqual({
    bucket: "my.bucket",
    prefix: "a/b",
    endpoint: "http://127.0.0.1:9000",
    region: "eu-1",
    forcePathStyle: true,
    createBucket: true,
    partBytes: 16_777_216,
  });
  expect(Object.isFrozen(location)).toBe(true);
});

test.for([
  ["bucket", "not a URL"],
  ["https://bucket", "must begin with s3://"],
  ["s3://key:secret@bucket", "AWS_ACCESS_KEY_ID"],
  ["s3://bucket:9000", "endpoint="],
  ["s3://Bad_Name", "is not the name of a bucket"],
  ["s3://bucket/a//b", "prefix"],
  ["s3://bucket/a%20b", "prefix"],
  ["s3://bucket?endpont=http://x", "Did you mean endpoint?"],
  ["s3://bucket?force-path-style=true", "Did you mean forcePathStyle?"],
  ["s3://bucket?partMib=8", "Did you mean part-mib?"],
  ["s3://bucket?create=true", "Did you mean createBucket?"],
  ["s3://bucket?region=a&region=b", "given twice"],
  ["s3://bucket?region=", "no value"],
  ["s3://bucket?endpoint=ftp://x", "http or https"],
  ["s3://bucket?forcePathStyle=yes", "true or false"],
  ["s3://bucket?part-mib=0", "from 1 to 64"],
  ["s3://bucket?part-mib=65", "from 1 to 64"],
  ["s3://bucket?part-mib=8.5", "from 1 to 64"],
] as const)("%s is refused, with the reason", ([text, reason]) => {
  expect(() => parseS3Location(text)).toThrow(S3LocationError);
  expect(() => parseS3Location(text)).toThrow(reason);
});
