import type { Socket } from 'node:net'
import type { EngineTransport } from './engine-transport.ts'
import type { ExecCreate, ExecInspect } from './engine-types.ts'

export interface ExecApi {
  create(container: string, exec: ExecCreate, signal?: AbortSignal): Promise<{ readonly Id: string }>
  /**
   * Starts it; the socket carries its stdin one way, its output the other (framed without a tty). Engines before API 1.42
   * and Podman take no notice of `size`.
   */
  start(
    execId: string,
    tty: boolean,
    size: { readonly rows: number; readonly columns: number } | null,
    signal?: AbortSignal,
  ): Promise<Socket>
  inspect(execId: string, signal?: AbortSignal): Promise<ExecInspect>
  resize(execId: string, rows: number, columns: number, signal?: AbortSignal): Promise<void>
}

export function execApi(transport: EngineTransport): ExecApi {
  return {
    create: (container, body, signal) => {
      const path = `/containers/${encodeURIComponent(container)}/exec`
      return transport.json({ method: 'POST', path, body, ...(signal && { signal }) })
    },
    start: (execId, Tty, size, signal) => {
      const body = { Detach: false, Tty, ...(Tty && size && { ConsoleSize: [size.rows, size.columns] }) }
      return transport.upgrade({ path: `/exec/${execId}/start`, body, ...(signal && { signal }) })
    },
    inspect: (execId, signal) => transport.json({ path: `/exec/${execId}/json`, ...(signal && { signal }) }),
    resize: async (execId, rows, columns, signal) => {
      const query = { h: rows, w: columns }
      await transport.json<unknown>({
        method: 'POST',
        path: `/exec/${execId}/resize`,
        query,
        ...(signal && { signal }),
      })
    },
  }
}
