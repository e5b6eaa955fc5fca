/* A planted fault: a body that was cut counts as one that ended. */
import type { Body, BodyBatch } from "../../../packages/server/src/base/body.ts";
import { AppendRun } from "../../../packages/server/src/engine/append-run.ts";

const consume = Reflect.get(AppendRun.prototype, "consume");

AppendRun.prototype.consume = function (this: AppendRun, body: Body) {
  const next = body.next.bind(body);
  const whole = async (): Promise<BodyBatch> => {
    const batch = await next();
    return batch.kind === "end" && batch.ending === "cut"
      ? { kind: "end", ending: "clean" }
      : batch;
  };
  return consume.call(this, Object.assign(body, { next: whole }));
};
