import ts from "typescript";

/** A title that is not plain text stands for many: what varies in it is matched by anything. */
export type TitlePattern = string;

const anything = ".+";
/** What vitest puts a case's values in place of. */
const placeholder = /%[sdifjoOc#%$]|\$[\w.]+/g;

/** The tests that a file declares, each with the titles of what it stands in, as patterns. */
export function testTitles(fileName: string, text: string): TitlePattern[][] {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, true);
  const found: TitlePattern[][] = [];
  const visit = (node: ts.Node, within: TitlePattern[]): void => {
    const declared = ts.isCallExpression(node) ? declaration(node, source) : undefined;
    const inside = declared === undefined ? within : [...within, declared.title];
    if (declared?.kind === "test") found.push(inside);
    ts.forEachChild(node, (child) => {
      visit(child, inside);
    });
  };
  visit(source, []);
  return found;
}

/** Whether a name such as `what it stands in > its title` is that of one of the tests. */
export function namesOne(titles: readonly (readonly TitlePattern[])[], name: string): boolean {
  return titles.some((path) =>
    path.some((_, from) => new RegExp(`^${path.slice(from).join(" > ")}$`, "u").test(name)),
  );
}

interface Declaration {
  readonly kind: "test" | "group";
  readonly title: TitlePattern;
}

function declaration(call: ts.CallExpression, source: ts.SourceFile): Declaration | undefined {
  // In `it.for(cases)(title, …)` the title is the outer call's.
  if (ts.isCallExpression(call.parent) && call.parent.expression === call) return undefined;
  const [title] = call.arguments;
  const root = rootOf(call);
  if (title === undefined || !["it", "test", "describe"].includes(root)) return undefined;
  const pattern = patternOf(title, source);
  if (pattern === undefined) return undefined;
  return { kind: root === "describe" ? "group" : "test", title: pattern };
}

function rootOf(call: ts.CallExpression): string {
  let at: ts.Expression = call;
  while (ts.isCallExpression(at) || ts.isPropertyAccessExpression(at)) at = at.expression;
  return ts.isIdentifier(at) ? at.text : "";
}

function patternOf(title: ts.Expression, source: ts.SourceFile): TitlePattern | undefined {
  if (ts.isStringLiteralLike(title)) return patternOfText(title.text);
  if (ts.isTemplateExpression(title)) {
    const rest = title.templateSpans.map(({ literal }) => anything + patternOfText(literal.text));
    return patternOfText(title.head.text) + rest.join("");
  }
  if (!ts.isIdentifier(title)) return undefined;
  const value = constantNamed(title.text, source);
  return value === undefined ? undefined : patternOf(value, source);
}

function patternOfText(text: string): TitlePattern {
  // A title that is all placeholder would be matched by any name.
  if (!/\w/.test(text.replaceAll(placeholder, ""))) return escaped(text);
  return text.split(placeholder).map(escaped).join(anything);
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

function constantNamed(name: string, source: ts.SourceFile): ts.Expression | undefined {
  return source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => [...declarationList.declarations])
    .find((each) => ts.isIdentifier(each.name) && each.name.text === name)?.initializer;
}
