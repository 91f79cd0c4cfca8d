import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { countUpgrade, type UpgradeRoute } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance } from 'fastify'
import { attachStream } from './attach.ts'
import type { DockerContext } from './context.ts'
import { execStream } from './exec-stream.ts'
import { bodyBefore, upgraded } from './hijack.ts'
import { minorOf, newestVersion } from './versions.ts'

const pattern = /^(?:\/(v\d+\.\d+))?\/(?:containers\/([^/]+)\/attach|exec\/([^/]+)\/start)$/

/** `attach` and `exec/start` of clients that ask for an upgrade to `tcp`; everywhere else the offer is declined. */
export function hijackRoute(app: FastifyInstance, docker: DockerContext): UpgradeRoute {
  const { prefix, log } = app
  const match = (path: string) => (path.startsWith(prefix) ? pattern.exec(path.slice(prefix.length)) : null)
  const serve = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined)
    const url = new URL(request.url ?? '/', 'http://docker')
    const [, version, container, exec] = match(url.pathname) ?? []
    const { body, rest } = await bodyBefore(request, socket, head).catch((error: unknown) => {
      refuse(request, socket, error)
      throw error
    })
    const connection = upgraded(request, socket, rest)
    try {
      if (request.method !== 'POST') throw new Fault('request.no-route', { method: '', path: '' })
      const minor = version === undefined ? newestVersion : minorOf(version)
      const identity = await docker.identify(request)
      await countUpgrade(app, identity.caller.projectId, request, socket)
      const query = Object.fromEntries(url.searchParams)
      const asked = { docker, identity, minor, connection }
      if (container !== undefined) await attachStream({ ...asked, ref: decoded(container), query })
      else await execStream({ ...asked, execId: exec ?? '', body: body.toString('utf8') })
    } catch (error) {
      if (!(error instanceof Fault)) log.debug({ err: error }, 'stream refused')
      connection.refuse(error)
    }
  }
  return {
    takes: (path) => match(path) !== null,
    handle: (request, socket, head) => {
      serve(request, socket, head).catch((error: unknown) => {
        // It has been told why, and is cut when it goes on.
        if (!(error instanceof Fault)) socket.destroy()
      })
    },
    refuse,
  }
}

function refuse(request: IncomingMessage, socket: Duplex, error: unknown): void {
  upgraded(request, socket, Buffer.alloc(0)).refuse(error)
}

/** Throws `request.invalid` for what no client means. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (error) {
    throw new Fault('request.invalid', { problem: `The path is not well encoded: ${part}` }, error)
  }
}
