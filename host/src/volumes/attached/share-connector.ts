import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection } from '@gantry/model'
import { type Connector, nameOf, type Reached, saidOf, textOf } from './connector.ts'

/**
 * `share`: a file system that many may have mounted, as Manila exports it. It is never formatted, repaired or locked.
 * NFS is tried; CephFS (mount.ceph(8)) and GlusterFS (mount.glusterfs(8)) are built on what their manuals say, and are not.
 * `folder`: for keys, while a share that needs one is connected.
 */
export function shareConnector(folder: string): Connector {
  const keyFile = (id: string) => join(folder, id)

  const reached = (connection: Connection, id: string): Reached => {
    const [type, ...options] = shareOptions(connection, keyFile(id))
    const source = textOf(connection, 'export')
    return {
      kind: 'share',
      argumentsFor: (readOnly) => ['-t', type, '-o', [...options, ...(readOnly ? ['ro'] : [])].join(','), source],
    }
  }

  return {
    targetOf: (connection) => textOf(connection, 'export'),
    find: async (connection, id) => reached(connection, id),
    connect: async (connection, { id }) => {
      if (saidOf(connection, 'key') !== undefined) {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await writeFile(keyFile(id), textOf(connection, 'key'), { mode: 0o600, flush: true })
      }
      return reached(connection, id)
    },
    disconnect: async (_connection, id) => rm(keyFile(id), { force: true }),
  }
}

/** The kind that `mount` is told, and the options. Pure. */
export function shareOptions(connection: Connection, keyFile: string): readonly [type: string, ...options: string[]] {
  const protocol = textOf(connection, 'protocol').toUpperCase()
  if (protocol === 'NFS') return ['nfs', 'nodev']
  if (protocol === 'GLUSTERFS') return ['glusterfs', 'nodev']
  if (protocol === 'CEPHFS') {
    return ['ceph', 'nodev', `name=${nameOf(connection, 'user')}`, `secretfile=${keyFile}`]
  }
  throw new Error(`The host cannot mount shares of the protocol ${protocol}; it can mount: NFS, CEPHFS, GLUSTERFS.`)
}
