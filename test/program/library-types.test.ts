import { expect, test } from "vitest";

import { typeFaults } from "../support/documented-code.ts";

const setting = `
  declare const upload: typeof import("hawser-client").upload;
  declare const UploadQueue: typeof import("hawser-client").UploadQueue;
  declare const tus: typeof import("hawser-client/tus").tus;
`;

const right = [
  `upload("a", { appId: "1", token: "t", publish: true })`,
  `upload("a", { dialect: "graph", appId: "1", token: "t", publish: true })`,
  `new UploadQueue({ dialect: "graph", appId: "1", token: "t" })`,
  `upload("a", { dialect: tus, url: "https://host/files/" })`,
  `upload("a", { dialect: tus, url: "https://host/files/", token: () => "t", name: "b" })`,
  `new UploadQueue({ dialect: tus, url: "https://host/files/", parallel: 3 }).add("a", { name: "b" })`,
];

const wrong = [
  `upload("a", { token: "t" })`,
  `upload("a", { appId: "1", token: "t", chunksize: 5 })`,
  `upload("a", { dialect: "tus", url: "https://host/files/" })`,
  `upload("a", { dialect: tus })`,
  `upload("a", { dialect: tus, url: "https://host/files/", appId: "1" })`,
  `upload("a", { dialect: tus, url: "https://host/files/", publish: true })`,
  `new UploadQueue({ dialect: tus, url: "https://host/files/", publish: true })`,
];

test("options that belong together compile, and no others", () => {
  const pieces = [...right, ...wrong].map((code) => ({ place: code, code: `${code};` }));
  const faults = typeFaults(pieces, setting);
  expect(wrong.filter((code) => !faults.some((fault) => fault.startsWith(code)))).toEqual([]);
  expect(faults.filter((fault) => right.some((code) => fault.startsWith(code)))).toEqual([]);
}, 120_000);
