import type { S3FaultProxy, S3Request } from "./s3-fault-proxy.ts";

/**
 * Plants a rule that some stores have: no object is made of parts of which any but the last is not
 * as long as the others. Returns, for each completion that was asked for, whether it was refused.
 */
export function refuseUnequalParts(
  proxy: S3FaultProxy,
  lengthOf: (copySource: string) => number | undefined,
): readonly boolean[] {
  const refused: boolean[] = [];
  const lengths = new Map<string, Map<number, number>>();
  proxy.plan = (request) => {
    const found = new URL(request.path, "http://store").searchParams;
    const [id, part] = [found.get("uploadId"), found.get("partNumber")];
    if (id === null) return undefined;
    const parts = lengths.get(id) ?? new Map<number, number>();
    lengths.set(id, parts);
    if (part !== null) parts.set(Number(part), partLength(request, lengthOf));
    if (request.method !== "POST") return undefined;
    const inOrder = [...parts].sort(([one], [other]) => one - other);
    const [first, ...others] = inOrder.slice(0, -1).map(([, length]) => length);
    const isUnequal = others.some((length) => length !== first);
    refused.push(isUnequal);
    return isUnequal ? "bad-request" : undefined;
  };
  return refused;
}

function partLength(
  { headers }: S3Request,
  lengthOf: (copySource: string) => number | undefined,
): number {
  const range = /^bytes=(\d+)-(\d+)$/.exec(String(headers["x-amz-copy-source-range"]));
  if (range !== null) return Number(range[2]) - Number(range[1]) + 1;
  const source = headers["x-amz-copy-source"];
  return source === undefined
    ? Number(headers["content-length"])
    : (lengthOf(String(source)) ?? Number.NaN);
}
