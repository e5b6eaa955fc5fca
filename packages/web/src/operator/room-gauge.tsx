import { useLayoutEffect, useRef } from "preact/hooks";
import { bytesInWords, percentInWords } from "../words/amounts.ts";
import type { LiveRoom } from "./live-words.ts";

/** How full the volume is, and what open uploads may still bring. */
export function RoomGauge({ room }: { readonly room: LiveRoom | null }) {
  return (
    <section class="card room">
      <h2>Room</h2>
      {room === null ? (
        <p class="soft">This store has no end that it tells of.</p>
      ) : (
        <Gauge room={room} />
      )}
    </section>
  );
}

function Gauge({ room: { freeBytes, totalBytes, promisedBytes } }: { readonly room: LiveRoom }) {
  const gauge = useRef<HTMLDivElement>(null);
  const used = totalBytes - freeBytes;
  const share = (bytes: number) =>
    `${(Math.min(1, bytes / Math.max(1, totalBytes)) * 100).toFixed(2)}%`;
  const promised = share(used + Math.min(promisedBytes, freeBytes));
  useLayoutEffect(() => {
    gauge.current?.style.setProperty("--used", share(used));
    gauge.current?.style.setProperty("--promised", promised);
  });
  const tight = used + promisedBytes > totalBytes * 0.9;
  return (
    <>
      <div
        ref={gauge}
        class={tight ? "gauge tight" : "gauge"}
        role="meter"
        aria-label="Disk room"
        aria-valuemin={0}
        aria-valuemax={totalBytes}
        aria-valuenow={used}
        aria-valuetext={`${percentInWords(used, totalBytes)} used`}
      >
        <span class="gauge-promised" />
        <span class="gauge-used" />
      </div>
      <p class="numbers">
        <strong>{bytesInWords(freeBytes)} free</strong> of {bytesInWords(totalBytes)}
      </p>
      <p class="soft numbers">Open uploads may still bring {bytesInWords(promisedBytes)}.</p>
    </>
  );
}
