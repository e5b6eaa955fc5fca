/** Cases of the suite that @tus/server 2.4.5 with @tus/file-store 2.1.1 does not pass. */
export const deviations: readonly string[] = [];
