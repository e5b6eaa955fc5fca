/** Cases of the suite that @tus/server 2.4.5 with @tus/file-store 2.1.1 does not pass, by file. */
const byFile: Readonly<Record<string, readonly string[]>> = {
  // It ignores trailers, too.
  "checksum-trailer.test.ts": [
    "a checksum in the trailer > of an algorithm that is not served is refused with 400 and changes nothing",
    "a checksum in the trailer > that is wrong in crc32 is refused with 460, and its bytes are discarded",
    "a checksum in the trailer > that is wrong in md5 is refused with 460, and its bytes are discarded",
    "a checksum in the trailer > that is wrong in sha1 is refused with 460, and its bytes are discarded",
    "a checksum in the trailer > that is wrong in sha256 is refused with 460, and its bytes are discarded",
    "a checksum in the trailer > that was announced and does not come is refused with 400 and changes nothing",
  ],
  // It ignores `Upload-Checksum`, right or wrong.
  "checksum.test.ts": [
    "a checksum > of an algorithm that is not served is refused with 400 and changes nothing: crc99 YQ==",
    "a checksum > of an algorithm that is not served is refused with 400 and changes nothing: none",
    "a checksum > of an algorithm that is not served is refused with 400 and changes nothing: sha512 YQ==",
    "a checksum > of bytes that are cut lets none of them count",
    "a checksum > of bytes that come in chunks counts just as much",
    'a checksum > that is none is refused and changes nothing: "sha1 "',
    'a checksum > that is none is refused and changes nothing: "sha1 YQ== YQ=="',
    'a checksum > that is none is refused and changes nothing: "sha1 YQ=="',
    'a checksum > that is none is refused and changes nothing: "sha1 not-base64"',
    'a checksum > that is none is refused and changes nothing: "sha1"',
    "a checksum > that is wrong discards more bytes than fit into any buffer",
    "a checksum > that is wrong does not complete an upload, even a small one",
    "a checksum > that is wrong is refused for the very first bytes, too",
    "a checksum in crc32 > that is wrong is refused with 460, and its bytes are discarded",
    "a checksum in md5 > that is wrong is refused with 460, and its bytes are discarded",
    "a checksum in sha1 > that is wrong is refused with 460, and its bytes are discarded",
    "a checksum in sha256 > that is wrong is refused with 460, and its bytes are discarded",
  ],
  // It has no concatenation.
  "concatenation.test.ts": [
    "a PATCH of a final upload > that is finished is refused with 403 and changes nothing",
    "a PATCH of a final upload > that is not finished is refused with 403 and changes nothing",
    "a final upload of finished partial ones > has all their bytes in the order in which they were named",
    "a final upload of finished partial ones > has the metadata it was created with, and none of theirs",
    "a final upload of finished partial ones > is told to be finished at once, with offset and length the sum of theirs",
    "a final upload of finished partial ones > may have none but partial ones without bytes",
    "a final upload of finished partial ones > may have the same one more than once, as may several final ones",
    "a final upload of finished partial ones > outlives its partial ones",
    "a final upload of finished partial ones > takes their URLs relative to its own, too",
    "a final upload of partial ones that are still in progress > is told without a length while that of one of them is not known",
    "a final upload of partial ones that are still in progress > is told without an offset until all of them are finished",
    'a final upload that cannot be > because Upload-Concat is "final;" is refused',
    'a final upload that cannot be > because Upload-Concat is "final;/nowhere/at/all" is refused',
    'a final upload that cannot be > because Upload-Concat is "final;not-an-upload" is refused',
    "a final upload that cannot be > because a partial one is not there is refused",
    "a final upload that cannot be > because a partial one was terminated is refused",
    "a final upload that cannot be > because it brings a length of its own is refused",
    "a final upload that cannot be > because its length is said to come later is refused",
    "a partial upload > is created and gets its bytes as any other",
    "a partial upload > is told to be one by HEAD, with its offset",
  ],
  // It hides some of the protocol's headers from pages of other origins.
  "cors.test.ts": [
    "a page of another origin > may read the answer to every request, refusals included",
  ],
  // It asks for bytes before it has looked at the creation.
  "creation-with-upload.test.ts": [
    "POST with bytes > is refused before its bytes are sent when it waits for that",
  ],
  // It ignores `X-HTTP-Method-Override`.
  "method-override.test.ts": [
    "X-HTTP-Method-Override > makes a DELETE of a POST",
    "X-HTTP-Method-Override > makes a HEAD of a POST",
    "X-HTTP-Method-Override > makes a PATCH of a POST",
    "X-HTTP-Method-Override > makes an OPTIONS of a POST",
    "X-HTTP-Method-Override > wins over the method that the request has, which is then not carried out",
  ],
  // It announces what it has, which is not all.
  "options.test.ts": [
    "OPTIONS > announces the extension checksum",
    "OPTIONS > announces the extension checksum-trailer",
    "OPTIONS > announces the extension concatenation",
    "OPTIONS > announces the extension concatenation-unfinished",
    "OPTIONS > lists the checksum algorithms in lower case, sha1 among them",
  ],
  // It answers 400 or 403 where 415 is due.
  "patch.test.ts": [
    "a PATCH whose content is not application/offset+octet-stream > because it does not say is refused with 415 and changes nothing",
    "a PATCH whose content is not application/offset+octet-stream > but a/b is refused with 415 and changes nothing",
    "a PATCH whose content is not application/offset+octet-stream > but application/octet-stream is refused with 415 and changes nothing",
    "a PATCH whose content is not application/offset+octet-stream > but application/offset is refused with 415 and changes nothing",
    "a PATCH whose content is not application/offset+octet-stream > but text/plain is refused with 415 and changes nothing",
  ],
  // It answers 400 where 412 is due, and never says which versions it has.
  "version.test.ts": [
    "a request that names no version > is refused with 412 and Tus-Version when appending, and nothing is appended",
    "a request that names no version > is refused with 412 and Tus-Version when creating",
    'a version that the server does not have > "0.2.2" is refused with 412 and Tus-Version when creating',
    'a version that the server does not have > "01.0.0" is refused with 412 and Tus-Version when creating',
    'a version that the server does not have > "1" is refused with 412 and Tus-Version when creating',
    'a version that the server does not have > "1.0" is refused with 412 and Tus-Version when creating',
    'a version that the server does not have > "1.0.0, 1.0.0" is refused with 412 and Tus-Version when creating',
    'a version that the server does not have > "1.0.1" is refused with 412 and Tus-Version when creating',
    'a version that the server does not have > "2.0.0" is refused with 412 and Tus-Version when creating',
    'a version that the server does not have > "one" is refused with 412 and Tus-Version when creating',
    "a version that the server does not have > is refused with 412 and Tus-Version by DELETE, which is not carried out",
    "a version that the server does not have > is refused with 412 and Tus-Version by HEAD, which is not carried out",
    "a version that the server does not have > is refused with 412 and Tus-Version by PATCH, which is not carried out",
  ],
};

export const deviations: readonly string[] = Object.entries(byFile).flatMap(([file, cases]) =>
  cases.map((name) => `${file} > ${name}`),
);
