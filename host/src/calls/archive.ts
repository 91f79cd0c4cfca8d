import { Fault } from '@gantry/kernel'
import type { AgentCalls, PathStat } from '@gantry/wire'
import { EngineError, isStatus } from '../engine/engine-error.ts'
import { type CallContext, onContainer } from './call-context.ts'

/** Files out of a container and into it, as tar streams of any length. */
export function archiveCalls(context: CallContext): Pick<AgentCalls, 'archiveGet' | 'archivePut'> {
  const { containers } = context.engine
  return {
    archiveGet: ({ id, path }, { signal }) =>
      onContainer(context, 'copy from', id, signal, async (engineId) => {
        const { headers, body } = await containers.archiveGet(engineId, path, signal).catch(rethrowPath(id, path))
        return { reply: pathStatFrom(headers['x-docker-container-path-stat']), output: body }
      }),
    archivePut: ({ id, path, ...options }, { signal, input }) =>
      onContainer(context, 'copy to', id, signal, async (engineId) => {
        if (!input) throw new Fault('request.invalid', { problem: 'A tar is needed to copy into a container.' })
        await containers.archivePut(engineId, path, input, signal, options).catch(rethrowPath(id, path))
        return { reply: {}, output: null }
      }),
  }
}

export function rethrowPath(id: string, path: string): (error: unknown) => never {
  return (error) => {
    const missing = isStatus(error, 404) && !/no such container/i.test(error.message)
    if (missing) throw new Fault('container.path-not-found', { path, ref: id }, error)
    if (isStatus(error, 500) && /tar|unexpected EOF|archive/i.test(error.message)) {
      throw new Fault('request.invalid', { problem: `The archive could not be unpacked: ${error.message}` }, error)
    }
    throw error
  }
}

/** From the header's base64 JSON (Docker Engine API, "Get information about files in a container"). */
export function pathStatFrom(header: string | string[] | undefined): PathStat {
  try {
    const stat: unknown = JSON.parse(Buffer.from(String(header), 'base64').toString('utf8'))
    const field = (name: string): unknown => (stat as Record<string, unknown>)[name]
    const text = (name: string) => (typeof field(name) === 'string' ? (field(name) as string) : '')
    const number = (name: string) => Number(field(name) ?? 0)
    const [name, mtime, linkTarget] = [text('name'), text('mtime'), text('linkTarget')]
    return { name, size: number('size'), mode: number('mode'), mtime, linkTarget }
  } catch (cause) {
    throw new EngineError(500, `The engine did not describe the path: ${String(cause)}`)
  }
}
