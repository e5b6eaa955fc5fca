import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { z } from "zod";
import { readCredentials } from "../access/credentials.ts";
import { systemErrorCode, uploadError, type UploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";

export interface ControlEnvironment {
  // Absent when the app is called without a server, as tests do.
  Bindings: Partial<HttpBindings>;
}

export type ControlContext = Context<ControlEnvironment>;

/** What a token is read from. */
export interface Carrier {
  readonly env: Partial<HttpBindings>;
  readonly req: { header(name: string): string | undefined };
}

/** From the header alone: what stands in a query gets into logs and histories. */
export function readToken(context: Carrier): string {
  const message: IncomingMessage | undefined = context.env.incoming;
  const single = context.req.header("authorization");
  // A fetch Request has joined or dropped what came twice; Node's message has not.
  const authorization =
    message?.headersDistinct.authorization ?? (single === undefined ? [] : [single]);
  return readCredentials({ authorization, parameters: [], headerOnly: true });
}

/** The body as JSON of this shape; `request_malformed` says what is wrong with it. */
export async function readBody<Value>(
  context: ControlContext,
  schema: z.ZodType<Value>,
): Promise<Value> {
  const result = schema.safeParse(await readJson(context));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.join(".") ?? "";
  throw uploadError("request_malformed", {
    detail: `${path === "" ? "The body" : path}: ${issue?.message ?? "is not valid"}.`,
  });
}

/** An empty body says the same as an empty object. */
async function readJson(context: ControlContext): Promise<unknown> {
  const text = await readText(context);
  if (text === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    throw uploadError("request_malformed", { detail: "The body is not JSON." }, { cause: error });
  }
}

/**
 * From Node's own message: behind this listener Hono's limit fails on a chunked body, and a
 * Request's body on a host that is none.
 */
async function readText(context: ControlContext): Promise<string> {
  if (Number(context.req.header("content-length") ?? 0) > limits.formBytesMax) throw tooLong();
  const { incoming } = context.env;
  if (incoming === undefined) return await context.req.text();
  // Left open after a refusal, whose answer still has to go out.
  const body: AsyncIterable<Uint8Array> = incoming.iterator({ destroyOnReturn: false });
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > limits.formBytesMax) throw tooLong();
      chunks.push(chunk);
    }
  } catch (error) {
    if (systemErrorCode(error) === "ECONNRESET") {
      throw uploadError("body_cut", { offset: 0 }, { cause: error });
    }
    throw error;
  }
  return Buffer.concat(chunks).toString();
}

function tooLong(): UploadError {
  return uploadError("request_malformed", { detail: "The body is too long." });
}
