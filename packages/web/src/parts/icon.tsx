// Drawn on a grid of 24; one stroke, round ends.
const paths = {
  pause: "M8 5v14M16 5v14",
  cross: "M6 6l12 12M18 6L6 18",
  again: "M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  copy: "M9 9h10v10H9zM5 15V5h10",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  folder: "M3 6h6l2 2.5h10V19H3z",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  device: "M3 5h18v11H3zM8.5 20h7M12 16v4",
  leave: "M14 5H5v14h9M10 12h11M17.5 8.5L21 12l-3.5 3.5",
  alert: "M12 4L2.5 20h19zM12 10v4.5M12 17.3h.01",
} as const;

export type IconName = keyof typeof paths;

/** Decoration only: what it means is said in words beside it. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
