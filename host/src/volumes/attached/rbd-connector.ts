import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection } from '@gantry/model'
import type { Programs } from '../run-program.ts'
import { type Connector, saidOf, textOf, wordOf } from './connector.ts'

/**
 * `rbd`: an image of Ceph, mapped by the kernel or, where it cannot, by rbd-nbd (rbd(8)). UNTESTED: built on the manual of rbd
 * and on Cinder's connection properties, for want of a Ceph cluster. `folder`: for configuration and keys, while mapped.
 */
export function rbdConnector(folder: string, programs: Programs): Connector {
  const files = (id: string) => ({ conf: join(folder, `${id}.conf`), keyring: join(folder, `${id}.keyring`) })

  const find = async (connection: Connection): Promise<string | null> => {
    for (const type of ['krbd', 'nbd']) {
      const told = await programs
        .run('rbd', ['device', 'list', '--device-type', type, '--format', 'json'])
        .catch(() => '[]')
      const device = deviceIn(told, textOf(connection, 'name'))
      if (device !== null) return device
    }
    return null
  }

  return {
    targetOf: (connection) => textOf(connection, 'name'),
    find: async (connection) => {
      const path = await find(connection)
      return path === null ? null : { kind: 'device', path }
    },
    connect: async (connection, { id, readOnly }, signal) => {
      const there = await find(connection)
      if (there !== null) return { kind: 'device', path: there }
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const { conf, keyring } = files(id)
      await writeFile(conf, configuration(connection, keyring), { mode: 0o600, flush: true })
      const key = saidOf(connection, 'keyring')
      if (typeof key === 'string') await writeFile(keyring, key, { mode: 0o600, flush: true })
      const map = (type: string) => programs.run('rbd', mapArguments(connection, { type, conf, readOnly }), signal)
      const told = await map('krbd').catch(async (error: unknown) => {
        signal?.throwIfAborted()
        // The kernel may lack Ceph, or what the image uses of it; what the first try said is the better answer.
        return map('nbd').catch(() => Promise.reject(error))
      })
      return { kind: 'device', path: told.trim() }
    },
    disconnect: async (connection, id) => {
      const path = await find(connection)
      const type = path?.startsWith('/dev/nbd') ? 'nbd' : 'krbd'
      if (path !== null) await programs.run('rbd', ['device', 'unmap', '--device-type', type, path])
      for (const file of Object.values(files(id))) await rm(file, { force: true })
    },
  }
}

/** Arguments of rbd. Pure. */
export function mapArguments(
  connection: Connection,
  { type, conf, readOnly }: { readonly type: string; readonly conf: string; readonly readOnly: boolean },
): string[] {
  const user = saidOf(connection, 'auth_username')
  const asUser = typeof user === 'string' ? ['--id', user] : []
  const access = readOnly ? ['--read-only'] : []
  return ['device', 'map', '--device-type', type, '--conf', conf, ...asUser, ...access, textOf(connection, 'name')]
}

/** Of a client of that cluster. Pure. */
export function configuration(connection: Connection, keyring: string): string {
  const hosts = saidOf(connection, 'hosts')
  const ports = saidOf(connection, 'ports')
  if (!Array.isArray(hosts) || hosts.length === 0)
    throw new Error('The storage did not tell hosts of the rbd connection.')
  const monitors = hosts.map((host: unknown, index) => {
    const port = Array.isArray(ports) ? wordOf(ports[index]) : null
    const name = String(host).includes(':') && !String(host).startsWith('[') ? `[${String(host)}]` : String(host)
    return port === null ? name : `${name}:${port}`
  })
  const hasKey = typeof saidOf(connection, 'keyring') === 'string'
  return ['[global]', `mon_host = ${monitors.join(',')}`, ...(hasKey ? [`keyring = ${keyring}`] : []), ''].join('\n')
}

/** Reads what `rbd device list --format json` prints; `name` is POOL/IMAGE. Pure. */
export function deviceIn(json: string, name: string): string | null {
  const list: unknown = JSON.parse(json.trim() || '[]')
  for (const one of Array.isArray(list) ? list : []) {
    const { pool, name: image, device } = one as Readonly<Record<string, unknown>>
    if (`${String(pool)}/${String(image)}` === name && typeof device === 'string') return device
  }
  return null
}
