import { Readable } from 'node:stream'
import type { Verb } from '@gantry/model'
import { type AgentCalls, encodeFrame, frameKinds } from '@gantry/wire'
import type { World } from '../../apps/server/src/testing/a-world.ts'

export type StateRequest = readonly [
  method: string,
  /** Behind `/containers/{c}`. */
  path: string,
  options?: { readonly body?: object; readonly version?: string; readonly token?: 'owner' | 'admin' },
]

/** How each verb is asked for in Zun's API; several ways are several requests. */
export const stateRequests: Readonly<Record<Verb, readonly StateRequest[]>> = {
  start: [['POST', '/start']],
  stop: [['POST', '/stop?timeout=1']],
  kill: [['POST', '/kill?signal=TERM']],
  pause: [['POST', '/pause']],
  unpause: [['POST', '/unpause']],
  reboot: [['POST', '/reboot?timeout=1']],
  rebuild: [['POST', '/rebuild']],
  update: [
    ['PATCH', '', { body: { cpu: 0.5 } }],
    ['POST', '/resize_container', { body: { memory: 64 } }],
  ],
  rewire: [
    ['POST', '/network_attach?network=second'],
    ['POST', '/network_detach?network=first'],
    ['POST', '/add_security_group?name=extra', { version: '1.14' }],
    ['POST', '/remove_security_group?name=default', { version: '1.14' }],
  ],
  execute: [
    ['POST', '/execute?command=true&run=True'],
    ['POST', '/execute?command=sh&run=False&interactive=True'],
  ],
  resize_tty: [
    ['POST', '/resize?h=24&w=80'],
    ['POST', `/execute_resize?exec_id=${'e'.repeat(64)}&h=24&w=80`],
  ],
  attach: [['GET', '/attach']],
  top: [['GET', '/top']],
  stats: [['GET', '/stats']],
  logs: [['GET', '/logs']],
  archive: [
    ['GET', '/get_archive?path=/etc'],
    ['POST', '/put_archive?path=/tmp', { body: { data: 'AAAA' } }],
  ],
  commit: [['POST', '/commit?repository=saved&tag=v1']],
  delete: [['DELETE', '']],
  delete_stop: [['DELETE', '?stop=true']],
  delete_force: [['DELETE', '?force=true', { token: 'admin' }]],
}

/** A host that answers every question at once, whatever its containers do. */
export function willingHost(world: () => World): Partial<AgentCalls> {
  const none = async () => ({ reply: {}, output: null })
  const bytes = (...chunks: Buffer[]) => Readable.from(chunks, { objectMode: false })
  const end = encodeFrame(frameKinds.end, Buffer.from('{"exitCode":0}'))
  const execId = 'e'.repeat(64)
  return {
    logs: async () => ({ reply: { framed: false }, output: bytes(Buffer.from('hello\n')) }),
    exec: async () => ({ reply: { execId }, output: bytes(end) }),
    execCreate: async () => ({ reply: { execId }, output: null }),
    execResize: none,
    ttyResize: none,
    top: async () => ({ reply: { titles: [], processes: [] }, output: null }),
    stats: async () => ({
      reply: {
        cpuPercent: 0,
        memoryUsed: 0,
        memoryLimit: 0,
        blockRead: 0,
        blockWrite: 0,
        netReceived: 0,
        netSent: 0,
        pids: 1,
      },
      output: null,
    }),
    archiveGet: async () => ({
      reply: { name: 'etc', size: 0, mode: 493, mtime: '2026-01-01T00:00:00Z', linkTarget: '' },
      output: bytes(Buffer.from('tar')),
    }),
    archivePut: none,
    async kill({ id }) {
      await world().host.exit(id, 143)
      return { reply: {}, output: null }
    },
    commit: async () => ({ reply: { imageId: 'sha256:1', size: 1 }, output: null }),
  }
}
