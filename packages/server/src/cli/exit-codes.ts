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

/** The lines about exit codes at the end of every client command's help. */
export const exitCodeHelp = `
Exit codes:
  0  done                        4  not found, or expired
  1  failed                      5  some of several files failed
  2  wrong usage                 130  interrupted
  3  not authorised`;
