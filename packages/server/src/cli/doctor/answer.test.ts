import { describe, expect, it } from "vitest";
import { type Answer, describeAnswer, isTaken, parseAnswer, parseInterim } from "./answer.ts";

function parse(text: string, { method = "GET", ended = false } = {}): Answer | undefined {
  return parseAnswer(Buffer.from(text), { method, ended })?.answer;
}

function bodyOf(text: string, reading?: { method?: string; ended?: boolean }): string | undefined {
  return parse(text, reading)?.body.toString();
}

describe("an answer's bytes", () => {
  it("are an answer once the announced length is there, and no sooner", () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    expect(bodyOf(`${head}hell`)).toBeUndefined();
    expect(bodyOf(`${head}hello`)).toBe("hello");
    expect(bodyOf(`${head}hello, and the next one`)).toBe("hello");
  });

  it("are put together from chunks", () => {
    const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect(bodyOf(`${head}5\r\nhello\r\n2;x=y\r\n, \r\n0\r\n\r\n`)).toBe("hello, ");
    expect(bodyOf(`${head}5\r\nhello\r\n`)).toBeUndefined();
  });

  it("end with the connection where no length is told", () => {
    const text = "HTTP/1.0 502 Bad Gateway\r\n\r\nsorry";
    expect(bodyOf(text)).toBeUndefined();
    expect(bodyOf(text, { ended: true })).toBe("sorry");
  });

  it("have no body after HEAD, whatever length is told", () => {
    const text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    expect(bodyOf(text, { method: "HEAD" })).toBe("");
  });

  it("have headers without regard to case, doubled ones joined", () => {
    const answer = parse("HTTP/1.1 204 No Content\r\nVIA: a\r\nvia: b\r\n\r\n");
    expect(answer?.headers.get("via")).toBe("a, b");
  });

  it("may begin with interim answers", () => {
    const interim = "HTTP/1.1 100 Continue\r\n\r\n";
    expect(parseInterim(Buffer.from(interim))).toEqual({ status: 100, length: interim.length });
    expect(parseInterim(Buffer.from("HTTP/1.1 200 OK\r\n\r\n"))).toBeUndefined();
  });

  it("that are no HTTP are refused", () => {
    expect(() => parse("SSH-2.0-OpenSSH\r\n\r\n")).toThrow("not HTTP");
  });
});

describe("an answer", () => {
  it("that is an empty 200 is no taken append", () => {
    const made = parse("HTTP/1.1 200 OK\r\nServer: Caddy\r\nContent-Length: 0\r\n\r\n");
    const real = parse('HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"file_offset":5}');
    if (made === undefined || real === undefined) throw new Error("no answers");
    expect(isTaken(made)).toBe(false);
    expect(isTaken(real)).toBe(true);
    expect(describeAnswer(made)).toBe("200 by Caddy, empty");
  });
});
