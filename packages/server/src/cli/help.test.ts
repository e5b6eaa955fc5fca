import type { Command } from "commander";
import { expect, test } from "vitest";
import { exitCodes } from "./exit-codes.ts";
import { helpTopics } from "./help-topics.ts";
import { loadProgram } from "./program.ts";
import { putEvents } from "./put-events.ts";

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (more) => (text += more) });
  command.outputHelp();
  return text;
}

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

const program = await loadProgram();

test.each(leaves(program).map((command) => [command.name(), command] as const))(
  "the help of %s has an example of it",
  (name, command) => {
    expect(helpOf(command)).toMatch(new RegExp(`^Examples:(\\n.*)*\\bhawser .*\\b${name}\\b`, "m"));
  },
);

test("the program's help begins with a first example and names every topic", () => {
  const text = helpOf(program);
  expect(text).toMatch(/hawser serve(.|\n)*hawser put/);
  for (const topic of Object.keys(helpTopics)) expect(text).toContain(topic);
});

test.each(Object.entries(helpTopics))("the topic %s fits a terminal", (_, { text }) => {
  const own = text().split('"hawser serve", each')[0] ?? "";
  expect(own.length).toBeGreaterThan(200);
  for (const line of own.split("\n")) expect(line.length, line).toBeLessThanOrEqual(104);
});

/** Every command that a topic shows at a line's beginning. */
const shown = Object.values(helpTopics).flatMap(({ text }) =>
  Array.from(text().matchAll(/^ {2}hawser ([a-z]+)(?: ([a-z]+))?(.*)$/gm)),
);

test.each(shown.map((match) => [match[0].trim(), match] as const))(
  "%s can be typed",
  (_, match) => {
    const [, name, next, rest = ""] = match;
    const command = program.commands.find((each) => each.name() === name);
    const held = command?.commands.find((each) => each.name() === next) ?? command;
    const flags = held?.options.map(({ long }) => long);
    const used = rest.split("|")[0]?.match(/--[a-z-]+/g) ?? [];
    expect(flags).toEqual(expect.arrayContaining(used));
  },
);

test("the topics of codes and events tell all there are", () => {
  for (const code of Object.values(exitCodes)) {
    expect(helpTopics["exit-codes"]?.text()).toMatch(new RegExp(`^ {2}${code} `, "m"));
  }
  for (const event of Object.keys(putEvents)) expect(helpTopics.json?.text()).toContain(event);
});
