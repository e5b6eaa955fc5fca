/** Copies; where the browser forbids it, selects the text so that the keyboard can. */
export async function copyText(text: string, field: HTMLTextAreaElement | null): Promise<boolean> {
  try {
    // Missing where the page came without TLS.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field?.select();
    return false;
  }
}
