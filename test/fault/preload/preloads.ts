/** The modules of this folder, as `--import` takes them; none of them is part of the server. */
const urlOf = (name: string): string => new URL(`${name}.ts`, import.meta.url).href;

export const preloads = Object.freeze({
  forgetfulSync: urlOf("forgetful-sync"),
  killAt: urlOf("kill-at"),
  normalSynchronous: urlOf("normal-synchronous"),
  writeBackCache: urlOf("write-back-cache"),
});
