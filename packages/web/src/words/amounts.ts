const units = ["bytes", "KB", "MB", "GB", "TB"];

/** Bytes as people read them: `812 bytes`, `4.2 MB`. Decimal, as file managers count. */
export function bytesInWords(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || amount >= 99.5 ? 0 : 1;
  if (unit === 0 && bytes === 1) return "1 byte";
  return `${amount.toFixed(digits)} ${units[unit] ?? ""}`;
}

/** Bytes a second. */
export function rateInWords(rate: number): string {
  return `${bytesInWords(Math.round(rate))}/s`;
}

/** Rounded so that it does not jump about: `8 s left`, `3 min left`, `2 h 10 min left`. */
export function timeLeftInWords(seconds: number): string {
  if (seconds < 1.5) return "almost there";
  if (seconds < 60) return `${Math.ceil(seconds)} s left`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes} min left`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.round(hours / 24)} days left`;
  return `${hours} h ${minutes % 60} min left`;
}

/** Whole per cent, never 100 before it is all there. */
export function percentInWords(part: number, whole: number): string {
  if (whole <= 0) return "0 %";
  return `${Math.min(part < whole ? 99 : 100, Math.floor((part / whole) * 100))} %`;
}

export function countInWords(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
