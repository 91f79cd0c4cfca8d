import { Agent, request } from 'node:http'
import type { Gantry, Session } from '../fixtures/gantry.ts'

/** The least that a client of the bare Docker Engine API can do: the other half of every ratio. */
export interface RawEngine {
  /** Create and start on a bridge network, with the same limits as Gantry's; resolves when start has returned. */
  run(): Promise<string>
  remove(id: string): Promise<void>
  exec(id: string, command: string[]): Promise<number>
  /** MiB a second of the whole log. */
  logRate(id: string): Promise<number>
  engineIdOf(name: string, session: Session, gantry: Gantry): Promise<string>
}

export async function rawEngine(socketPath: string): Promise<RawEngine> {
  const agent = new Agent({ keepAlive: true })
  const call = (method: string, path: string, body?: unknown): Promise<Record<string, never>> => {
    return new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body)
      const headers =
        payload === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
      const asked = request({ agent, socketPath, method, path: `/v1.41${path}`, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          if ((response.statusCode ?? 500) >= 400)
            return reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
          const json = response.headers['content-type']?.includes('json') === true && text !== ''
          resolve(json ? JSON.parse(text) : {})
        })
      })
      asked.on('error', reject)
      asked.end(payload)
    })
  }
  await call('POST', '/networks/create', { Name: 'bench-raw', Driver: 'bridge' })
  return {
    async run() {
      const limits = { NanoCpus: 1_000_000_000, Memory: 64 << 20, MemorySwap: 64 << 20, PidsLimit: 4096 }
      const { Id } = await call('POST', '/containers/create', {
        Image: 'busybox:latest',
        Cmd: ['sleep', '100000'],
        HostConfig: { ...limits, NetworkMode: 'bench-raw' },
      })
      await call('POST', `/containers/${Id}/start`)
      return String(Id)
    },
    async remove(id) {
      await call('DELETE', `/containers/${id}?force=true`)
    },
    async exec(id, command) {
      const { Id } = await call('POST', `/containers/${id}/exec`, {
        Cmd: command,
        AttachStdout: true,
        AttachStderr: true,
      })
      await hijack(socketPath, `/v1.41/exec/${Id}/start`, { Detach: false, Tty: false })
      const { ExitCode } = await call('GET', `/exec/${Id}/json`)
      return Number(ExitCode)
    },
    logRate(id) {
      return new Promise((resolve, reject) => {
        const started = performance.now()
        const path = `/v1.41/containers/${id}/logs?stdout=true&stderr=true`
        const asked = request({ socketPath, path }, (response) => {
          let bytes = 0
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length
          })
          response.on('end', () => resolve(bytes / 1_048_576 / ((performance.now() - started) / 1000)))
        })
        asked.on('error', reject)
        asked.end()
      })
    },
    async engineIdOf(name, session, gantry) {
      const { uuid } = (await session.zun('GET', `/containers/${name}`)).json
      return gantry.engine.docker('ps', '-aq', '--no-trunc', '--filter', `label=gantry.container=${uuid}`)
    },
  }
}

/** Upgrades as the docker command line does, and reads to the end: the quickest way the engine has. */
function hijack(socketPath: string, path: string, body: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const payload = JSON.stringify(body)
    const asked = request({
      socketPath,
      path,
      method: 'POST',
      headers: {
        connection: 'Upgrade',
        upgrade: 'tcp',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(payload),
      },
    })
    asked.on('upgrade', (_response, socket) => {
      socket.on('end', () => {
        socket.end()
        resolve()
      })
      socket.on('error', reject).resume()
    })
    asked.on('error', reject)
    asked.end(payload)
  })
}
