import { eventually } from "../../support/eventually.ts";
import type { ServerProcess } from "../../support/server-process.ts";
import { type FaultKind, TcpProxy } from "../../support/tcp-proxy.ts";

/** In front of a server: the first connection that carries so many bytes to it meets the fault. */
export async function proxyWithFault(
  { port }: ServerProcess,
  afterBytes: number,
  fault: FaultKind,
): Promise<TcpProxy> {
  const proxy = await TcpProxy.start({ host: "127.0.0.1", port });
  proxy.setPlan(() => {
    const done = proxy.connections.some(({ happened }) => happened !== undefined);
    return done ? {} : { toServer: { afterBytes, fault } };
  });
  return proxy;
}

/** Resolves when the fault has happened. */
export async function untilFault(proxy: TcpProxy): Promise<void> {
  const find = () => proxy.connections.find(({ happened }) => happened !== undefined);
  await eventually(find, { what: "the fault to happen", timeoutMs: 60_000 });
}
