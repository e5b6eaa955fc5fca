/*
 * A planted fault: the sync of a directory answers "done" without doing anything, so that the name
 * of a new file is not made durable by whoever asked for it.
 */
import { open } from "node:fs/promises";

const handle = await open(".", "r");
// Every handle has this prototype, and node:fs/promises does not export it.
const prototype = Object.getPrototypeOf(handle) as typeof handle;
await handle.close();

const descriptor = Object.getOwnPropertyDescriptor(prototype, "sync");
// A method that is known to be there.
const sync = descriptor?.value as (this: typeof handle) => Promise<void>;

prototype.sync = async function (this: typeof handle): Promise<void> {
  if (!(await this.stat()).isDirectory()) await sync.call(this);
};
