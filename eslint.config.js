import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

// Imports point down only (see ARCHITECTURE.md). Each room names the rooms it must not know.
const rooms = [
  "base",
  "access",
  "catalog",
  "blobs",
  "engine",
  "protocols",
  "http",
  "control",
  "service",
  "cli",
];
const mayImport = {
  base: [],
  catalog: ["base"],
  blobs: ["base"],
  access: ["base", "catalog"],
  engine: ["base", "catalog", "blobs", "access"],
  protocols: ["base", "access", "engine", "http"],
  http: ["base"],
  control: ["base", "access", "engine", "http"],
  service: ["base", "catalog", "blobs", "access", "engine", "protocols", "http", "control"],
  cli: ["base", "service"],
};

/** What only one room may touch: HTTP words, SQL, the environment, the clock, chance. */
const ownedModules = [
  { name: "node:http", rooms: ["http", "protocols", "control"] },
  { name: "node:sqlite", rooms: ["catalog", "service"] },
  { name: "kysely", rooms: ["catalog"] },
  { name: "hono", rooms: ["control"] },
  { name: "hawser-client", rooms: ["cli"] },
];

const layerRules = rooms.map((room) => ({
  files: [`packages/server/src/${room}/**/*.ts`],
  ignores: ["**/*.test.ts"],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            group: rooms
              .filter((other) => other !== room && !mayImport[room].includes(other))
              .flatMap((other) => [`../${other}/**`, `../../${other}/**`, `../../../${other}/**`]),
            message: `${room}/ must not know this room: imports point down only.`,
          },
        ],
        paths: ownedModules
          .filter((owned) => !owned.rooms.includes(room))
          .map(({ name }) => ({ name, message: `${name} does not belong in ${room}/.` })),
      },
    ],
  },
}));

export default defineConfig(
  globalIgnores([
    "**/dist/**",
    "**/node_modules/**",
    "**/hawser-data/**",
    "test/fixtures/**",
    "packages/server/web/**",
  ]),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      // The root project resolves workspace imports to source, so that lint needs no build.
      parserOptions: {
        project: ["./tsconfig.json", "./packages/web/tsconfig.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "max-lines": ["error", { max: 400 }],
      "max-lines-per-function": ["error", { max: 70, skipComments: true, skipBlankLines: true }],
      "max-params": ["error", { max: 3 }],
      "no-console": "error",
      eqeqeq: "error",
    },
  },
  {
    files: ["packages/server/src/{base,catalog,blobs,access,engine,protocols}/**/*.ts"],
    ignores: ["**/*.test.ts", "packages/server/src/base/{clock,random}.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "service/config.ts reads the environment." },
        { object: "Date", property: "now", message: "The clock is passed in (base/clock.ts)." },
        { object: "Math", property: "random", message: "Chance is passed in (base/random.ts)." },
      ],
    },
  },
  ...layerRules,
  {
    files: ["test/**/*.ts", "bench/**/*.ts", "**/*.test.ts"],
    rules: { "max-lines-per-function": "off", "no-console": "off" },
  },
  {
    files: ["eslint.config.js", "packages/server/bin/hawser.js", "packages/web/prepare.js"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: "readonly", URL: "readonly", console: "readonly" } },
  },
);
