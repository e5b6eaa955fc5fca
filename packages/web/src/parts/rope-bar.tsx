import { useLayoutEffect, useRef } from "preact/hooks";

export interface RopeBarProps {
  readonly label: string;
  readonly length: number;
  readonly sent: number;
  readonly confirmed: number;
  /** What a screen reader says in place of the bare number. */
  readonly words: string;
  /** Colours it. */
  readonly tone?: "calm" | "good" | "bad" | "still" | undefined;
}

/**
 * A rope that is being hauled in: laid where the bytes are durable, a thin strand where they are
 * only on their way. Widths are set through the style object, which a strict policy allows.
 */
export function RopeBar({ label, length, sent, confirmed, words, tone = "calm" }: RopeBarProps) {
  const bar = useRef<HTMLDivElement>(null);
  const durable = share(confirmed, length);
  const away = share(sent, length);
  useLayoutEffect(() => {
    bar.current?.style.setProperty("--durable", `${durable * 100}%`);
    bar.current?.style.setProperty("--away", `${away * 100}%`);
  }, [durable, away]);
  return (
    <div
      ref={bar}
      class={`rope-bar ${tone}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(durable * 100)}
      aria-valuetext={words}
    >
      <span class="strand" />
      <span class="rope" />
    </div>
  );
}

function share(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.min(1, part / whole);
}
