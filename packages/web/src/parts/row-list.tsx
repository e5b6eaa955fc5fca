import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { shownRows } from "../state/rows.ts";
import { UploadRow } from "./upload-row.tsx";

/** Rows kept ready above and below what is seen. */
const spare = 8;

interface Span {
  readonly first: number;
  readonly end: number;
}

/** Only the rows near the window exist: five thousand cost no more than twenty. */
export function RowList() {
  const list = useRef<HTMLOListElement>(null);
  const all = shownRows.value;
  const span = useSpan(list, all.length);
  useLayoutEffect(() => {
    list.current?.style.setProperty("--before", String(span.first));
    list.current?.style.setProperty("--after", String(all.length - span.end));
  }, [span.first, span.end, all.length]);
  return (
    <ol ref={list} class="row-list" aria-label="Uploads">
      {all.slice(span.first, span.end).map((row, index) => (
        <UploadRow key={row.key} row={row} place={span.first + index + 1} count={all.length} />
      ))}
    </ol>
  );
}

function useSpan(list: { readonly current: HTMLOListElement | null }, count: number): Span {
  const [span, setSpan] = useState<Span>({ first: 0, end: Math.min(count, 30) });
  useEffect(() => {
    const controller = new AbortController();
    const look = () => {
      const element = list.current;
      if (element === null) return;
      const height = Number.parseFloat(getComputedStyle(element).getPropertyValue("--row-height"));
      const { top } = element.getBoundingClientRect();
      const first = Math.max(0, Math.floor(-top / height) - spare);
      const end = Math.min(count, Math.ceil((innerHeight - top) / height) + spare);
      setSpan((before) =>
        before.first === first && before.end === end
          ? before
          : { first, end: Math.max(first, end) },
      );
    };
    look();
    const options = { passive: true, signal: controller.signal };
    addEventListener("scroll", look, options);
    addEventListener("resize", look, options);
    return () => {
      controller.abort();
    };
  }, [count, list]);
  return { first: Math.min(span.first, count), end: Math.min(span.end, count) };
}
