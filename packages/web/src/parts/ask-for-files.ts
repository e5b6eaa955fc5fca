import { pickFiles } from "../state/dropped-files.ts";
import { addFiles } from "../state/uploads.ts";

/** The input that is clicked where the browser has no dialogue that lets files be opened again. */
export const filesInputId = "files";

/** Opens the browser's dialogue for files, and begins or goes on with what is picked. */
export async function askForFiles(): Promise<void> {
  const picked = await pickFiles();
  if (picked === undefined) document.getElementById(filesInputId)?.click();
  else addFiles(picked);
}
