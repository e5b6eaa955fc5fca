import type { Exchange } from "../../http/exchange.ts";
import { booleanOf, integerOf } from "../standard/structured-fields.ts";
import { everyVersion, newest, oldest, type InteropRules } from "./versions.ts";

/** What a request says in the fields of the draft. A value of another kind counts as not said. */
export interface IetfFields {
  readonly rules: InteropRules;
  /** Whether the request itself named that version: to nobody else may interim answers go. */
  readonly isNamed: boolean;
  /** Whether this request's content is the last of the upload. */
  readonly complete: boolean | undefined;
  /** In bytes. */
  readonly offset: number | undefined;
  /** In bytes. */
  readonly length: number | undefined;
}

type Headers = Pick<Exchange, "header">;

export function fieldsOf(exchange: Headers): IetfFields {
  const asked = integerOf(exchange.header("upload-draft-interop-version"));
  const known = everyVersion.find(({ interop }) => interop === asked);
  const rules = known ?? unnamedRules(exchange);
  return {
    rules,
    isNamed: known !== undefined,
    complete: completenessOf(exchange, rules),
    offset: integerOf(exchange.header("upload-offset")),
    length: integerOf(exchange.header("upload-length")),
  };
}

/** One field is the first version's alone: who sends it means that one. */
function unnamedRules(exchange: Headers): InteropRules {
  const has = (name: string): boolean => exchange.header(name) !== undefined;
  return has(oldest.flag.field) && !has(newest.flag.field) ? oldest : newest;
}

function completenessOf(exchange: Headers, { flag }: InteropRules): boolean | undefined {
  const value = booleanOf(exchange.header(flag.field));
  return value === undefined ? undefined : value === (flag.trueMeans === "complete");
}

/** The field that tells of an upload's completeness. */
export function flagHeader({ flag }: InteropRules, complete: boolean): Record<string, string> {
  return { [flag.field]: complete === (flag.trueMeans === "complete") ? "?1" : "?0" };
}
