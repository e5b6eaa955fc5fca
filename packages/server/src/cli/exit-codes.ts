/** How every command ends, as `--help` tells it. */
export const exitCodes = Object.freeze({
  ok: 0,
  failed: 1,
  usage: 2,
  notAuthorised: 3,
  notFound: 4,
  someFailed: 5,
  interrupted: 130,
});

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What each means, for "hawser help exit-codes". */
export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  [exitCodes.ok]: "Done. Also when files were skipped, or were uploaded before.",
  [exitCodes.failed]:
    "Failed: the network, the server, a local file or stdout. Often worth another run.",
  [exitCodes.usage]: "Wrong usage: an option or argument is wrong or missing; nothing was done.",
  [exitCodes.notAuthorised]:
    "Not authorised: the token is missing, wrong, expired or lacks a scope.",
  [exitCodes.notFound]: "Not found, or expired: the upload, file or handle.",
  [exitCodes.someFailed]: "Some of several files failed; the others are done.",
  [exitCodes.interrupted]: "Interrupted; what was sent is kept.",
};

/** The lines about exit codes at the end of every client command's help. */
export const exitCodeHelp = `
Exit codes:
  0  done                        4  not found, or expired
  1  failed                      5  some of several files failed
  2  wrong usage                 130  interrupted
  3  not authorised`;
