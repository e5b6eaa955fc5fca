import { bytesInWords } from "../words/amounts.ts";
import type { LivePicture } from "./live-words.ts";

/** A few numbers that say whether all is well. */
export function Counts({ live }: { readonly live: LivePicture }) {
  const last = live.samples.at(-1);
  const { stalled } = live;
  return (
    <dl class="counts">
      <Count words="open" value={live.counts.open ?? 0} />
      <Count words="writers here" value={last?.writers ?? 0} />
      <Count words="stalled" value={stalled} alarming={stalled > 0} />
      <Count words="a second" value={bytesInWords(last?.receivedBytes ?? 0)} />
      <Count words="complete" value={live.counts.complete ?? 0} />
    </dl>
  );
}

interface CountProps {
  readonly words: string;
  readonly value: number | string;
  readonly alarming?: boolean;
}

function Count({ words, value, alarming = false }: CountProps) {
  return (
    <div class={alarming ? "count alarming" : "count"}>
      <dt>{words}</dt>
      <dd class="numbers">{typeof value === "number" ? value.toLocaleString("en") : value}</dd>
    </div>
  );
}
