import { expect, it } from "vitest";

import { loggablePath } from "./loggable-path.ts";

it.for([
  ["/v21.0/app/uploads", "/v21.0/app/uploads"],
  ["/v21.0/upload:MTph==", "/v21.0/upload:MTph=="],
  ["/v21.0/upload%3AMTph%3D%3D", "/v21.0/upload%3AMTph%3D%3D"],
  ["*", "*"],
  ["", ""],
] as const)("a path is logged as it came: %s", ([target, logged]) => {
  expect(loggablePath(target)).toBe(logged);
});

it.for(["?", "#", ";", "&", "%3F", "%3f", "%253F", "%25253f", "%26", "%23", "%3B"])(
  "what follows %s is not logged",
  (mark) => {
    expect(loggablePath(`/v21.0/upload:a${mark}access_token=secret`)).toBe("/v21.0/upload:a");
  },
);

it("neither host nor name nor password of an absolute target is logged", () => {
  expect(loggablePath("http://name:secret@host:1/v21.0/a?b")).toBe("/v21.0/a");
  expect(loggablePath("http://secret@host?b")).toBe("");
});

it("a path of any length takes a bounded place", () => {
  expect(loggablePath(`/${"x".repeat(10_000)}`)).toHaveLength(2_048);
});
