const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes for a human: `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || amount >= 100 ? 0 : 1;
  return `${amount.toFixed(digits)} ${units[unit] ?? ""}`;
}

/** A time for a human: `850 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How much is done, rounded down: 100 % is only said of the whole. */
export function formatShare(done: number, whole: number): string {
  return whole === 0 ? "0 %" : `${Math.floor((done / whole) * 100)} %`;
}
