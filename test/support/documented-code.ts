import { readFile } from "node:fs/promises";
import { join } from "node:path";
import ts from "typescript";

import { repositoryDirectory } from "./server-process.ts";

/** A piece of TypeScript that a document or a comment shows. */
export interface DocumentedCode {
  /** Such as `README.md:12`. */
  readonly place: string;
  readonly code: string;
}

/** The fenced blocks of a page of Markdown that are JavaScript or TypeScript. */
export async function fencedCode(path: string): Promise<DocumentedCode[]> {
  const text = await readFile(join(repositoryDirectory, path), "utf8");
  const blocks = text.matchAll(/^```(?:js|ts)\n(.*?)^```$/gms);
  return Array.from(blocks, (block) => ({
    place: `${path}:${lineAt(text, block.index)}`,
    code: block[1] ?? "",
  }));
}

/** What stands behind `@example` in the comments of a source file. */
export async function exampleCode(path: string): Promise<DocumentedCode[]> {
  const text = await readFile(join(repositoryDirectory, path), "utf8");
  const examples = text.matchAll(/@example\n((?: \* .+\n)+)/g);
  return Array.from(examples, (example) => ({
    place: `${path}:${lineAt(text, example.index)}`,
    code: (example[1] ?? "").replaceAll(/^ \* /gm, ""),
  }));
}

/**
 * What the compiler says of the pieces, a line each, checked as strictly as this repository is.
 *
 * @param setting declarations of what the pieces leave to their readers
 */
export function typeFaults(pieces: readonly DocumentedCode[], setting: string): string[] {
  const options = readOptions();
  const host = ts.createCompilerHost(options);
  const sources = new Map<string, string>(
    pieces.map(({ code }, index) => [nameOf(index), `${code}\nexport {};\n`]),
  );
  const settingName = nameOf("setting");
  sources.set(settingName, setting);
  const shown: ts.CompilerHost = {
    ...host,
    fileExists: (name) => sources.has(name) || host.fileExists(name),
    readFile: (name) => sources.get(name) ?? host.readFile(name),
    getSourceFile: (name, ...rest) => {
      const source = sources.get(name);
      if (source === undefined) return host.getSourceFile(name, ...rest);
      return ts.createSourceFile(name, source, ts.ScriptTarget.ES2024, true);
    },
  };
  const program = ts.createProgram([...sources.keys()], options, shown);
  return Array.from(sources.keys()).flatMap((name, index) => {
    const file = program.getSourceFile(name);
    const place = pieces[index]?.place ?? "setting";
    const found = [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ];
    return found.map(({ messageText }) => {
      return `${place}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
  });
}

/** What a source file exports, from wherever it has it, without a comment that says what it is. */
export function undocumentedExports(path: string): string[] {
  const name = join(repositoryDirectory, path);
  const program = ts.createProgram([name], readOptions());
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(name);
  const door = file && checker.getSymbolAtLocation(file);
  if (door === undefined) throw new Error(`${path} exports nothing`);
  const undocumented = checker.getExportsOfModule(door).filter((symbol) => {
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    const meant = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
    return meant.getDocumentationComment(checker).length === 0;
  });
  return undocumented.map((symbol) => symbol.getName());
}

/** Beside the packages, so that their names are found as anybody's program finds them. */
function nameOf(piece: number | "setting"): string {
  return join(repositoryDirectory, `documented-${piece}.ts`);
}

function readOptions(): ts.CompilerOptions {
  const path = join(repositoryDirectory, "tsconfig.base.json");
  const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name)) as {
    // `as` because the compiler types what it read as any.
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, noEmit: true, noUnusedLocals: false, noUnusedParameters: false },
    repositoryDirectory,
  );
  return options;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length + 1;
}
