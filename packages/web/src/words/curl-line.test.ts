import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { downloadLine } from "./curl-line.ts";

test.each(["film.mp4", "it's a film.mp4", '$(exit 3) `exit 4`; & "x".mp4', "-o.mp4"])(
  "a shell takes %s for one word",
  (name) => {
    const line = downloadLine("http://127.0.0.1:8080/v21.0/1/content", name);
    const listing = line.replace("curl", String.raw`printf '%s\n'`);
    const words = execFileSync("sh", ["-c", listing], { encoding: "utf8" }).split("\n");
    expect(words).toContain(name);
    expect(words).toContain("http://127.0.0.1:8080/v21.0/1/content");
  },
);

test("the line as copied fetches the file, and with a refused token fails and leaves none", async () => {
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "hawser-curl-"));
  parts.defer(() => rm(directory, { recursive: true }));
  const server = createServer(({ headers }, response) => {
    response.statusCode = headers.authorization === "OAuth good" ? 200 : 401;
    response.end("bytes or an error");
  });
  parts.defer(() => {
    server.close();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server always has one
  const fetchWith = (token: string, name: string) =>
    promisify(execFile)("sh", ["-c", downloadLine(`http://127.0.0.1:${port}/content`, name)], {
      cwd: directory,
      env: { PATH: process.env.PATH, TOKEN: token },
    });
  await fetchWith("good", "film.mp4");
  await expect(fetchWith("expired", "refused.mp4")).rejects.toThrow("401");
  expect(await readdir(directory)).toEqual(["film.mp4"]);
});
