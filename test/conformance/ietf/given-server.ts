/**
 * Where a server creates uploads that need not be this project's (HAWSER_TEST_IETF_URL); undefined
 * where the suite has one of its own, or is given one of this project's.
 */
export const givenUrl = said("HAWSER_TEST_IETF_URL");

/** The interop versions that the server is asked in, where it does not have all of them. */
export const givenVersions = said("HAWSER_TEST_IETF_INTEROP")?.split(",").map(Number);

function said(name: string): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}
