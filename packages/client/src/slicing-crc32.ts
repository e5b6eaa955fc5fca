import type { Crc32 } from "./crc32.ts";

const sliceBytes = 8;
// CRC-32's polynomial (ISO 3309, ITU-T V.42), its bits in reverse.
const polynomial = 0xedb88320;
const tables = makeTables();

/** CRC-32 where zlib is not there: eight bytes a step, by a table for each of their places. */
export const slicingCrc32: Crc32 = (data, previous = 0) => {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let crc = ~previous;
  let position = 0;
  for (; position + sliceBytes <= data.length; position += sliceBytes) {
    const low = crc ^ view.getInt32(position, true);
    const high = view.getInt32(position + 4, true);
    crc = fourBytes(low, 4) ^ fourBytes(high, 0);
  }
  for (; position < data.length; position += 1) {
    crc = entry(0, (crc ^ view.getUint8(position)) & 0xff) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
};

/** What four bytes add, when so many bytes of the slice come after them. */
function fourBytes(word: number, after: number): number {
  return (
    entry(after + 3, word & 0xff) ^
    entry(after + 2, (word >>> 8) & 0xff) ^
    entry(after + 1, (word >>> 16) & 0xff) ^
    entry(after, word >>> 24)
  );
}

/** The remainder of a byte that has so many bytes after it. */
function entry(after: number, byte: number): number {
  return tables[after * 256 + byte] ?? 0;
}

/** Each table is the one before it, moved on by the eight bits of a byte of zeros. */
function makeTables(): Int32Array {
  const made = new Int32Array(sliceBytes * 256);
  for (let index = 0; index < made.length; index += 1) {
    let remainder = index < 256 ? index : (made[index - 256] ?? 0);
    for (let bit = 0; bit < 8; bit += 1) {
      remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
    }
    made[index] = remainder;
  }
  return made;
}
