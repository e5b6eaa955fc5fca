import { useEffect } from "preact/hooks";
import { TroubleNote } from "../parts/trouble-note.tsx";
import { Counts } from "./counts.tsx";
import { listed, liveTrouble, picture, watchLive } from "./live.ts";
import { OpenUploads } from "./open-uploads.tsx";
import { RecentErrors } from "./recent-errors.tsx";
import { RoomGauge } from "./room-gauge.tsx";
import { Throughput } from "./throughput.tsx";

/** What the server is doing, for those who run it. */
export function OperatorView() {
  const uploads = listed.value;
  useEffect(() => {
    const controller = new AbortController();
    void watchLive(uploads, controller.signal);
    return () => {
      controller.abort();
    };
  }, [uploads]);
  const live = picture.value;
  const trouble = liveTrouble.value;
  return (
    <div class="operator">
      <h1>Live</h1>
      {trouble !== undefined && <TroubleNote trouble={trouble} />}
      {live === undefined ? (
        <p class="soft">Waiting for the server…</p>
      ) : (
        <>
          <Counts live={live} />
          <Throughput samples={live.samples} />
          <RoomGauge room={live.room} />
          <OpenUploads live={live} />
          <RecentErrors errors={live.errors} />
        </>
      )}
    </div>
  );
}
