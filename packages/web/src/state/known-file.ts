import type { Work } from "./work.ts";

/** By what a file is known again: its name, length and time of change. The client looks closer. */
export function fileKeyOf(file: Pick<File, "name" | "size" | "lastModified">): string {
  return JSON.stringify([baseName(file.name), file.size, file.lastModified]);
}

/** The key of a row's file, whether it is at hand or not. */
export function fileKeyOfWork({ row, changedAt }: Work): string {
  return fileKeyOf({ name: row.name, size: row.length, lastModified: changedAt });
}

/** The name without the folders before it. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

interface Asking {
  queryPermission?(wanted: { mode: "read" }): Promise<PermissionState>;
  requestPermission?(wanted: { mode: "read" }): Promise<PermissionState>;
}

/** Whether the browser opens the file without asking. */
export async function canOpen({ access }: Work): Promise<boolean> {
  if (access === undefined) return false;
  const asking: Asking = access as unknown as Asking; // not in TypeScript's DOM yet
  return (await asking.queryPermission?.({ mode: "read" })) === "granted";
}

/**
 * Opens the file again, asking the person where the browser wants it. `missing`: it is no longer
 * there, or was never to be had without picking it. `changed`: it is no longer the row's file.
 */
export async function openAgain(work: Work): Promise<"open" | "refused" | "missing" | "changed"> {
  const { access } = work;
  if (access === undefined) return "missing";
  const asking: Asking = access as unknown as Asking; // as above
  try {
    if (!(await canOpen(work))) {
      if ((await asking.requestPermission?.({ mode: "read" })) !== "granted") return "refused";
    }
    const file = await access.getFile();
    if (fileKeyOf(file) !== fileKeyOfWork(work)) return "changed";
    work.file = file;
    return "open";
  } catch (error) {
    // Without a click right before, a browser does not even ask.
    return error instanceof DOMException && error.name === "SecurityError" ? "refused" : "missing";
  }
}
