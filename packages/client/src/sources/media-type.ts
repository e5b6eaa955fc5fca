/** Media types by what names end with and, where that is beyond doubt, by what content begins with. */
const mediaTypes: readonly [type: string, names: RegExp, beginning?: RegExp][] = [
  ["application/pdf", /\.pdf$/i, /^%PDF-/],
  ["image/jpeg", /\.jpe?g$/i, /^\xff\xd8\xff/],
  // eslint-disable-next-line no-control-regex -- it is what such a file begins with
  ["image/png", /\.png$/i, /^\x89PNG\r\n\x1a\n/],
  ["image/gif", /\.gif$/i, /^GIF8[79]a/],
  ["image/webp", /\.webp$/i, /^RIFF.{4}WEBP/s],
  ["video/quicktime", /\.mov$/i, /^.{4}ftypqt {2}/s],
  // Every other brand of that container passes for it.
  ["video/mp4", /\.m(p4|4v)$/i, /^.{4}ftyp/s],
  ["video/3gpp", /\.3gp$/i],
  ["video/webm", /\.webm$/i],
  ["audio/mpeg", /\.mp3$/i],
  ["audio/ogg", /\.ogg$/i],
  ["text/plain", /\.txt$/i],
  ["text/csv", /\.csv$/i],
  ["application/json", /\.json$/i],
  ["application/zip", /\.zip$/i],
];

/** The media type a file name's ending stands for. */
export function typeFromName(name: string): string | undefined {
  return mediaTypes.find(([, names]) => names.test(name))?.[0];
}

/** The media type the first bytes show; only types whose beginning is beyond doubt. */
export function typeFromContent(head: Uint8Array): string | undefined {
  const text = String.fromCharCode(...head.subarray(0, 16));
  return mediaTypes.find(([, , beginning]) => beginning?.test(text))?.[0];
}
