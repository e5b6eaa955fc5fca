import type { BenchRequest } from "../contenders/contender.ts";

/** What makes curl stream a file as a request's body, and fail when it is not answered with 2xx. */
export function curlArguments(port: number, target: BenchRequest, file: string): string[] {
  const headers = Object.entries({ ...target.headers, Expect: "" });
  return [
    ...["-sS", "--fail-with-body", "-X", target.method, "-T", file],
    ...headers.flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
    `http://127.0.0.1:${port}${target.path}`,
  ];
}
