/**
 * What one interop version of the draft asks of a server where the versions differ. Nothing else
 * knows that there are several: handlers ask the row. The newest row is what requests get that name
 * no version of ours.
 */
export interface InteropRules {
  readonly interop: number;
  /** The drafts draft-ietf-httpbis-resumable-upload that have this version. */
  readonly drafts: string;
  /** The field of completeness, and what its true means. */
  readonly flag: {
    readonly field: "Upload-Complete" | "Upload-Incomplete";
    readonly trueMeans: "complete" | "incomplete";
  };
  /** What an append means that says nothing of completeness. */
  readonly unsaid: "complete" | "incomplete" | "refused";
  /** Whether interim answers tell the offset while content comes. */
  readonly progress: boolean;
  /** The media type an append must have. */
  readonly appendType: "application/partial-upload" | undefined;
  /** The status of an append that was taken and does not complete the upload. */
  readonly appendedStatus: 201 | 204;
  /** The status of whatever is asked of an upload that is no longer active. */
  readonly endedStatus: 404 | 410;
  /** Fields that a request without content must not have. */
  readonly foreignFields: Readonly<Record<"HEAD" | "DELETE", readonly string[]>>;
  /** An empty append to a complete upload: is its final answer given again? */
  readonly completed: "replayed" | "refused";
  /** The key of `Upload-Limit` for the seconds left; undefined where there is no such field. */
  readonly lifetimeKey: "expires" | "max-age" | undefined;
}

const none = { HEAD: [], DELETE: [] } as const;

export const oldest: InteropRules = {
  interop: 3,
  drafts: "-01",
  flag: { field: "Upload-Incomplete", trueMeans: "incomplete" },
  unsaid: "complete",
  progress: false,
  appendType: undefined,
  appendedStatus: 201,
  endedStatus: 404,
  foreignFields: {
    HEAD: ["Upload-Offset", "Upload-Incomplete"],
    DELETE: ["Upload-Offset", "Upload-Incomplete"],
  },
  completed: "replayed",
  lifetimeKey: undefined,
};

const v4: InteropRules = {
  ...oldest,
  interop: 4,
  drafts: "-02",
  flag: { field: "Upload-Complete", trueMeans: "complete" },
  unsaid: "incomplete",
  foreignFields: {
    HEAD: ["Upload-Offset", "Upload-Complete"],
    DELETE: ["Upload-Offset", "Upload-Complete"],
  },
};

const v5: InteropRules = { ...v4, interop: 5, drafts: "-03", progress: true };

const v6: InteropRules = {
  ...v5,
  interop: 6,
  drafts: "-04, -05",
  appendType: "application/partial-upload",
  foreignFields: { ...v5.foreignFields, HEAD: [...v5.foreignFields.HEAD, "Upload-Length"] },
  completed: "refused",
  lifetimeKey: "expires",
};

const v7: InteropRules = {
  ...v6,
  interop: 7,
  drafts: "-06 to -08",
  unsaid: "refused",
  appendedStatus: 204,
  endedStatus: 410,
  foreignFields: none,
  lifetimeKey: "max-age",
};

const v8: InteropRules = { ...v7, interop: 8, drafts: "-09 to -11" };
const v9: InteropRules = { ...v8, interop: 9, drafts: "-12", completed: "replayed" };

export const newest: InteropRules = { ...v9, interop: 10, drafts: "-13 and later" };

export const everyVersion: readonly InteropRules[] = Object.freeze([
  oldest,
  v4,
  v5,
  v6,
  v7,
  v8,
  v9,
  newest,
]);
