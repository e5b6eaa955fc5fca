import { execFileSync } from "node:child_process";
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
