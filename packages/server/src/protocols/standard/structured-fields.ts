import { isInnerList, parseDictionary, parseItem, type BareItem } from "structured-headers";

/**
 * Structured fields (RFC 9651) as the standard protocols use them. A field that is missing, that
 * came more than once as an item, or whose value is of another kind is ignored: undefined.
 */

/** The library takes 5.0, which is a Decimal, for the Integer 5. */
const integer = /^ *-?\d{1,15} *(;|$)/;

/** A non-negative Integer. */
export function integerOf(header: string | undefined): number | undefined {
  const item = itemOf(header);
  if (typeof item !== "number" || item < 0 || header === undefined) return undefined;
  return integer.test(header) ? item : undefined;
}

export function booleanOf(header: string | undefined): boolean | undefined {
  const item = itemOf(header);
  return typeof item === "boolean" ? item : undefined;
}

/** The items of a Dictionary by key, without their parameters; inner lists are left out. */
export function dictionaryOf(header: string | undefined): ReadonlyMap<string, BareItem> {
  const items = new Map<string, BareItem>();
  if (header === undefined) return items;
  try {
    for (const [key, member] of parseDictionary(header)) {
      if (!isInnerList(member)) items.set(key, member[0]);
    }
    return items;
  } catch {
    return new Map();
  }
}

/** The items of a Dictionary that are Byte Sequences. */
export function byteSequencesOf(header: string | undefined): ReadonlyMap<string, Uint8Array> {
  return new Map(
    [...dictionaryOf(header)].flatMap(([key, value]): [string, Uint8Array][] =>
      value instanceof ArrayBuffer ? [[key, new Uint8Array(value)]] : [],
    ),
  );
}

function itemOf(header: string | undefined): BareItem | undefined {
  if (header === undefined) return undefined;
  try {
    return parseItem(header)[0];
  } catch {
    return undefined;
  }
}
