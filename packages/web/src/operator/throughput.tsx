import { useEffect, useRef } from "preact/hooks";
import { theme } from "../state/theme.ts";
import { rateInWords } from "../words/amounts.ts";
import type { LiveSample } from "./live-words.ts";
import type { Plot } from "./plot.ts";

/** Bytes a second over the last five minutes. The plot's code is only fetched when it is shown. */
export function Throughput({ samples }: { readonly samples: readonly LiveSample[] }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>(undefined);
  const latest = useRef(samples);
  latest.current = samples;
  const colours = theme.value;
  useEffect(() => {
    let gone = false;
    void import("./plot.ts").then(({ Plot }) => {
      if (gone || place.current === null) return;
      plot.current = new Plot(place.current);
      plot.current.show(latest.current);
    });
    return () => {
      gone = true;
      plot.current?.remove();
      plot.current = undefined;
    };
  }, [colours]);
  useEffect(() => {
    plot.current?.show(samples);
  }, [samples]);
  const now = rateInWords(samples.at(-1)?.receivedBytes ?? 0);
  return (
    <section class="card throughput">
      <h2>Throughput</h2>
      <p class="soft legend">
        <span class="key received">arrived</span> <span class="key durable">durable</span>
      </p>
      <div ref={place} class="plot" role="img" aria-label={`Throughput, now ${now}`} />
    </section>
  );
}
