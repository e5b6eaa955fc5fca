import { expect, it } from "vitest";

import { runSuite, suiteLines } from "../../support/run-suite.ts";
import { ServerProcess } from "../../support/server-process.ts";
import { takingUntyped } from "../untyped.ts";

it("the suite finds nothing in this server when it takes it for somebody else's", async () => {
  const options = takingUntyped({ extraArguments: ["--interim-answers"] });
  await using server = await ServerProcess.start(options);
  const report = await runSuite(["test/conformance/ietf/"], {
    HAWSER_TEST_IETF_URL: `${server.url}/uploads`,
    HAWSER_TEST_TOKEN: server.token,
  });
  console.log(`the IETF suite on a given URL: ${suiteLines(report).join("\n")}`);
  expect(report.failed).toEqual([]);
  expect(report.passed).toBeGreaterThan(200);
});
