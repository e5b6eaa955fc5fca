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

const factors: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/**
 * `500KB`, `2MB`, `1.5GiB`, `65536` as bytes: KB, MB and GB count in thousands, KiB, MiB and GiB
 * (and K, M, G) in 1024s. Undefined for anything else, and for less than a byte.
 */
export function readBytes(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim()) ?? [];
  const key = unit?.toLowerCase() ?? "";
  const factor = Object.hasOwn(factors, key) ? factors[key] : undefined;
  if (digits === undefined || factor === undefined) return undefined;
  const bytes = Math.floor(Number(digits) * factor);
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
}
