import type { UploadSnapshot, UploadState, UploadWarning } from "hawser-client";
import { UploadError } from "hawser-client";
import { objectionTo } from "../words/limits-words.ts";
import type { Trouble } from "../words/trouble.ts";
import { troubleOf } from "../words/trouble.ts";
import { announce } from "./announcements.ts";
import { begin, connect, forgetComplete } from "./client.ts";
import { rowsElsewhere, untilLetGo } from "./elsewhere.ts";
import { HeldElsewhere } from "./file-claims.ts";
import { forgetRows } from "./kept-rows.ts";
import type { RowView } from "./rows.ts";
import { viewOf } from "./rows.ts";
import { session } from "./session.ts";
import type { Work } from "./work.ts";
import { keepNow, standingStill, tell } from "./work.ts";

const over = ["done", "failed", "aborted", "cancelled"];

/** Sends a file whose row waits for it, unless that is under way. */
export function startTransfer(work: Work): void {
  const current = session.peek();
  // Whoever is signed in by now may be another app.
  if (current?.me.app.id !== work.appId || work.file === undefined) return;
  // Of two clicks the second may come before the first one's outcome is shown.
  if (work.task !== undefined && !over.includes(work.task.state.kind)) return;
  const objection = objectionTo(work.file, current.me.limits);
  if (objection !== undefined) {
    fail(work, objection);
    return;
  }
  const task = begin(current, work.file, (warning) => {
    if (work.task === task) remark(work, warning);
  });
  work.task = task;
  tell(work, { ...standingStill, phase: "queued", remark: undefined });
  task.subscribe(
    (snapshot) => {
      // A task that was replaced has nothing to say any more.
      if (work.task === task) show(work, snapshot);
    },
    { everyMs: 200 },
  );
}

/** Of a file that cannot be sent as it is. */
export function fail(work: Work, trouble: Trouble): void {
  tell(work, { ...standingStill, phase: "failed", trouble });
  announce(`${work.row.name} failed: ${trouble.happened}`);
}

/** Stops without giving anything up: the next sign-in goes on. */
export function endTransfer(work: Work): void {
  const { task } = work;
  work.task = undefined;
  task?.abort();
}

/** Cancels the upload here and on the server. */
export async function giveUp(work: Work): Promise<void> {
  const { task, uploadId } = work;
  const current = session.peek();
  work.task = undefined;
  work.uploadId = undefined;
  tell(work, { ...standingStill, phase: "cancelled", sent: 0, confirmed: 0 });
  announce(`${work.row.name} is cancelled.`);
  // Before the task lets the file go: a tab that waits for it looks then.
  await keepNow();
  try {
    if (task !== undefined) await task.cancel();
    else if (uploadId !== undefined && current !== undefined) {
      await connect(current).cancel(uploadId);
    }
  } catch (error) {
    if (!(error instanceof UploadError)) throw error;
    if (["gone", "not-found"].includes(error.code)) return;
    const next = "The server removes it by itself when it expires.";
    const happened = `Cancelled here; the server could not be told. ${next}`;
    tell(work, { trouble: { happened, next } });
  }
}

function show(work: Work, { state, progress }: UploadSnapshot): void {
  if (state.kind === "uploading") work.uploadId = state.id;
  if (state.kind === "done") work.uploadId = state.result.id;
  if (state.kind === "failed" && state.error instanceof HeldElsewhere) {
    void waitForOther(work);
    return;
  }
  const moved = progress === undefined ? {} : positionOf(progress, viewOf(work.row));
  tell(work, { ...standingStill, ...moved, ...newsOf(state) });
  if (state.kind === "done") announce(`${work.row.name} is on the server.`);
  if (state.kind === "failed") concede(work, state.error);
}

/** Other warnings are for whoever wrote a program. */
function remark(work: Work, { code, message }: UploadWarning): void {
  if (code !== "started-anew") return;
  tell(work, { remark: message });
  announce(`${work.row.name}: ${message}.`);
}

/** Goes on when the tab that sends the same file has done so, or was closed. */
async function waitForOther(work: Work): Promise<void> {
  const { task } = work;
  tell(work, { ...standingStill, phase: "elsewhere" });
  const others = await rowsElsewhere(work);
  // What was remembered of this one before would be a second row of the file in later tabs.
  if (others.length > 0 && !others.includes(work.row.key)) await forgetRows([work.row.key]);
  const isLeft = await untilLetGo(work, others);
  if (isLeft && work.task === task) startTransfer(work);
}

function concede({ row, uploadId }: Work, error: UploadError): void {
  announce(`${row.name} failed: ${troubleOf(error).happened}`);
  // Else trying again would only find the same upload.
  if (["gone", "not-found"].includes(error.code) && uploadId !== undefined) {
    void forgetComplete(new Set([uploadId]));
  }
}

type Position = Pick<RowView, "sent" | "confirmed" | "rate" | "secondsLeft">;

/** Before the server was asked, nothing is known to be sent; what was shown stays. */
function positionOf(progress: NonNullable<UploadSnapshot["progress"]>, before: RowView): Position {
  const { sent, confirmed, rate, secondsLeft } = progress;
  if (sent === 0 && before.confirmed > 0) {
    return { sent: before.sent, confirmed: before.confirmed, rate, secondsLeft };
  }
  return { sent, confirmed, rate, secondsLeft };
}

function newsOf(state: UploadState): Partial<RowView> {
  switch (state.kind) {
    case "waiting":
      return { phase: "queued" };
    case "starting":
    case "checking":
      return { phase: "checking" };
    case "uploading":
    case "publishing":
      return { phase: "sending" };
    case "retrying":
      return { phase: "retrying", trouble: interruption(state) };
    case "paused":
    case "aborted":
      return { phase: "paused" };
    case "done":
      return { phase: "finished", handle: state.result.handle, fileId: state.result.fileId };
    case "failed":
      return { phase: "failed", trouble: troubleOf(state.error) };
    case "cancelled":
      return { phase: "cancelled" };
  }
}

function interruption(state: Extract<UploadState, { kind: "retrying" }>) {
  if (state.reason === "offline") {
    return { happened: "You are offline.", next: "It goes on when you are back." };
  }
  return troubleOf(state.error);
}
