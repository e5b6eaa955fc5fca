/* A planted fault: whoever is refused for want of room is told what was received, kept or not. */
import type { Body, BodyBatch } from "../../../packages/server/src/base/body.ts";
import { UploadError, uploadError } from "../../../packages/server/src/base/errors.ts";
import { AppendRun } from "../../../packages/server/src/engine/append-run.ts";

const consume = Reflect.get(AppendRun.prototype, "consume");

AppendRun.prototype.consume = async function (this: AppendRun, body: Body) {
  const next = body.next.bind(body);
  let received = 0;
  const counted = async (): Promise<BodyBatch> => {
    const batch = await next();
    if (batch.kind === "bytes") received += batch.length;
    return batch;
  };
  try {
    return await consume.call(this, Object.assign(body, { next: counted }));
  } catch (error) {
    if (error instanceof UploadError && error.code === "no_room") {
      throw uploadError("no_room", { offset: received });
    }
    throw error;
  }
};
