import { describe, expect, it } from "vitest";

import { fieldsOf, flagHeader } from "./fields.ts";
import { everyVersion, newest, oldest } from "./versions.ts";

function request(headers: Readonly<Record<string, string>>) {
  return { header: (name: string): string | undefined => headers[name.toLowerCase()] };
}

describe("the fields of a request", () => {
  it.for(everyVersion)("are read by the rules of version $interop, which they name", (rules) => {
    const fields = fieldsOf(request({ "upload-draft-interop-version": `${rules.interop}` }));
    expect(fields).toMatchObject({ rules, isNamed: true });
    expect(fields.complete).toBeUndefined();
  });

  it.for(["1", "2", "11", "3.0", "", "?1", "3, 4"])(
    "are read by the newest rules where the version is %j",
    (version) => {
      const fields = fieldsOf(request({ "upload-draft-interop-version": version }));
      expect(fields).toMatchObject({ rules: newest, isNamed: false });
    },
  );

  it("are read by the first version's rules where only that has the field, but it is not named", () => {
    const fields = fieldsOf(request({ "upload-incomplete": "?1" }));
    expect(fields).toMatchObject({ rules: oldest, isNamed: false, complete: false });
    const both = fieldsOf(request({ "upload-incomplete": "?1", "upload-complete": "?1" }));
    expect(both).toMatchObject({ rules: newest, complete: true });
  });

  it("tell completeness as the version says it", () => {
    for (const rules of everyVersion) {
      for (const complete of [true, false]) {
        const header = flagHeader(rules, complete);
        const flag = { [rules.flag.field.toLowerCase()]: header[rules.flag.field] ?? "" };
        const version = { "upload-draft-interop-version": `${rules.interop}` };
        const fields = fieldsOf(request({ ...version, ...flag }));
        expect(fields.complete).toBe(complete);
      }
    }
  });
});
