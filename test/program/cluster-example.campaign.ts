import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { cephMissing } from "../support/ceph-gateway.ts";
import { haproxyMissing } from "../support/haproxy.ts";
import { postgresMissing } from "../support/postgres-server.ts";
import { environmentWithoutHawser, repositoryDirectory } from "../support/server-process.ts";

it("examples/cluster kills nodes while a file is sent, which comes back as it went", async (context) => {
  const missing = haproxyMissing ?? (await postgresMissing()) ?? (await cephMissing());
  if (missing !== undefined) return context.skip(missing);
  const program = join(repositoryDirectory, "examples/cluster/run.ts");
  const command = ["--conditions=source", program, "64"];
  const options = { env: environmentWithoutHawser() };
  // Rejected unless it ends with 0.
  const { stdout } = await promisify(execFile)(process.execPath, command, options);
  expect(stdout).toMatch(/^uploaded; kills of nodes: [1-9]/m);
  expect(stdout).toContain("\nthe file came back as it went\n");
}, 180_000);
