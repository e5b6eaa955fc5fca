import type { Dialect } from "./dialect-wire.ts";
import { headerValue, type RawResponse } from "./response-parser.ts";

/**
 * What an append was answered, in the words of one dialect: 200 and `file_offset` or `h` when it
 * was taken, 412 when it began elsewhere than the upload stands, 503 when it should come again.
 */
export interface Answer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** An answer in whatever dialect, to a creation or an append. */
export function answerIn(dialect: Dialect, response: RawResponse): Answer {
  if (dialect === "graph") return answerFrom(response);
  const { status } = response;
  const offset = headerValue(response, "upload-offset");
  const json = {
    ...(/\bjson\b/.test(headerValue(response, "content-type") ?? "") ? objectIn(response) : {}),
    ...(offset === undefined ? {} : { file_offset: Number(offset) }),
  };
  if (status >= 300) return { status: plainStatus(response), json };
  const link = headerValue(response, "link");
  return { status: 200, json: link === undefined ? json : { ...json, id: graphIdIn(link) } };
}

/** Graph's answer as it stands. */
export function answerFrom(response: RawResponse): Answer {
  return { status: response.status, json: objectIn(response) };
}

/** The offset that an answer tells, in a field or in Graph's words; undefined when it tells none. */
export function toldOffset({ json }: Answer): number | undefined {
  if (typeof json.file_offset === "number") return json.file_offset;
  const text = JSON.stringify(json.error ?? {});
  const told = /(\d+) bytes are stored|upload is at (\d+)|took this upload over at (\d+)/.exec(
    text,
  );
  const digits = told?.slice(1).find(Boolean);
  return digits === undefined ? undefined : Number(digits);
}

/** Every answer about an upload links to where Graph tells of it. */
export function graphIdIn(link: string): string {
  const id = /<[^>]*\/(upload:[^&>]+)&fields=h>; rel="describedby"/.exec(link)?.[1];
  if (id === undefined) throw new Error(`no link to Graph's id: ${link}`);
  return id;
}

/**
 * Both say 409 of a wrong offset, where Graph says 412. tus says it of a body that was cut, too, and
 * 423 of an upload that somebody holds.
 */
function plainStatus(response: RawResponse): number {
  const { status, body } = response;
  if (status === 423) return 503;
  if (status !== 409 || headerValue(response, "upload-offset") === undefined) return status;
  return body.toString().includes("bytes are stored") ? 400 : 412;
}

function objectIn({ status, body }: RawResponse): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(body.toString());
  if (typeof value !== "object" || value === null) {
    throw new Error(`${status} without an object: ${body.toString()}`);
  }
  return { ...value };
}
