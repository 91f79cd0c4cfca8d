import { createServer } from 'node:net'
import { unfit } from './unfit.ts'

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** `host:port` or `[v6]:port`; throws `machine.unfit`. */
export function parseListen(text: string, flag: string): HostPort {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  if (host === undefined || !(port > 0 && port < 65536)) {
    throw unfit(`"${text}" is not an address to listen on.`, `Write ${flag} as HOST:PORT, for example 127.0.0.1:9700.`)
  }
  return { host, port }
}

/** Throws `machine.unfit` if somebody listens there already or the address is not this machine's. */
export async function checkPortFree({ host, port }: HostPort, flag: string): Promise<void> {
  const probe = createServer()
  try {
    await new Promise<void>((done, failed) => {
      probe.once('error', failed).listen({ host, port, exclusive: true }, done)
    })
  } catch (error) {
    throw portProblem(host, port, flag, error as NodeJS.ErrnoException)
  } finally {
    await new Promise<void>((done) => probe.close(() => done()))
  }
}

function portProblem(host: string, port: number, flag: string, error: NodeJS.ErrnoException): Error {
  if (error.code === 'EADDRINUSE') {
    return unfit(
      `Port ${port} on ${host} is taken by another program.`,
      `Stop that program (\`ss -ltnp 'sport = :${port}'\` names it), or choose another port with ${flag} ${host}:${port + 10}.`,
      error,
    )
  }
  return unfit(
    `Cannot listen on ${host}:${port} (${error.code ?? error.message}).`,
    `Choose another address with ${flag}.`,
    error,
  )
}
