import type { ContainerView } from '@gantry/facade-native/views'
import { call } from '../../../api/client.ts'
import { containerPath } from '../../../api/containers.ts'

/** What a terminal is connected to: a command of its own, or the container's own input and output. */
export type Target = { readonly kind: 'exec'; readonly command: string } | { readonly kind: 'attach' }

export interface Size {
  readonly rows: number
  readonly columns: number
}

export interface Session {
  readonly send: (text: string) => void
  readonly resize: (size: Size) => void
  readonly close: () => void
}

interface SessionEvents {
  readonly onOpen: () => void
  readonly onOutput: (bytes: Uint8Array) => void
  /** `sentence`: how it ended, for a person. */
  readonly onEnd: (sentence: string) => void
}

/** Asks for a session and connects to it. Throws `ApiError`. The address that the server names holds a key that works once. */
export async function openSession(
  container: ContainerView,
  target: Target,
  { onOpen, onOutput, onEnd }: SessionEvents,
): Promise<Session> {
  const { address, resizePath } = await addressOf(container, target)
  const socket = new WebSocket(address)
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('open', onOpen)
  socket.addEventListener('message', ({ data }) => onOutput(bytesOf(data)))
  socket.addEventListener('close', ({ reason }) => onEnd(reason === '' ? 'The connection was lost.' : reason))
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN && text !== '') socket.send(text)
    },
    // Whoever ends while the window grows loses nothing by not hearing of it.
    resize: ({ rows, columns }) =>
      void call(resizePath, { method: 'POST', query: { rows, columns } }).catch(() => undefined),
    close: () => socket.close(),
  }
}

async function addressOf({ id }: ContainerView, target: Target): Promise<{ address: string; resizePath: string }> {
  const zun = `/container/v1/containers/${encodeURIComponent(id)}`
  if (target.kind === 'attach')
    return { address: await call<string>(`${zun}/attach`), resizePath: `${containerPath(id)}/resize` }
  const query = { command: target.command, interactive: true, run: false }
  const opened = await call<{ exec_id: string; proxy_url: string }>(`${zun}/execute`, { method: 'POST', query })
  const resizePath = `${containerPath(id)}/exec/${encodeURIComponent(opened.exec_id)}/resize`
  return { address: opened.proxy_url, resizePath }
}

function bytesOf(data: unknown): Uint8Array {
  return data instanceof ArrayBuffer ? new Uint8Array(data) : new TextEncoder().encode(String(data))
}
