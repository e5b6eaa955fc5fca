// Run by npm after an install. One without the tools of development has no vite, and wants none: a
// server works without its page, and says at `/` how to come by it.
import { fileURLToPath } from "node:url";

if (hasVite()) {
  const { build } = await import("vite");
  await build({ root: fileURLToPath(new URL(".", import.meta.url)), logLevel: "warn" });
} else {
  const how = "npm ci --include=dev installs it";
  process.stdout.write(`the page is not built: vite is not installed (${how})\n`);
}

function hasVite() {
  try {
    import.meta.resolve("vite");
    return true;
  } catch {
    return false;
  }
}
