/**
 * Makes a file of a complete upload.
 *
 * @param upload its URL, as any client of the standard protocols ends with it
 * @returns the file's id: its bytes are at `/v21.0/{id}/content`
 */
export async function publish(upload: string, token: string): Promise<string> {
  const headers = { Authorization: `Bearer ${token}` };
  const handle = await textOf(await fetch(upload, { headers }), "h");
  // `app` is the token's own.
  const files = new URL("/v21.0/app/files", upload);
  const body = new URLSearchParams({ handle });
  return textOf(await fetch(files, { method: "POST", headers, body }), "id");
}

async function textOf(answer: Response, name: string): Promise<string> {
  const text = await answer.text();
  // Whatever it is, it is looked into below.
  const fields = new Map(Object.entries(JSON.parse(text) as Record<string, unknown>));
  const value = fields.get(name);
  if (typeof value === "string") return value;
  throw new Error(`${answer.status}: ${text}`);
}
