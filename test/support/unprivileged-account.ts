import { readFile } from "node:fs/promises";

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Who a server runs as that refuses to be root; undefined where nobody is. */
export async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile("/etc/passwd", "utf8")).split("\n").map((l) => l.split(":"));
  for (const wanted of ["postgres", "nobody"]) {
    const account = accounts.find(([name]) => name === wanted);
    if (account !== undefined) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  return undefined;
}
