import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection } from '@gantry/model'
import type { Programs } from '../run-program.ts'
import { type Connector, saidOf, textOf, unlessNoProgram, untilThere, wordOf } from './connector.ts'

/**
 * `nvmeof`: a namespace over TCP, by nvme-cli (nvme-connect(1)); one path, also where the storage offers several. UNTESTED:
 * built on the manual of nvme and on Cinder's connection properties, for want of a kernel with NVMe over TCP.
 */
export function nvmeConnector(programs: Programs): Connector {
  return {
    targetOf: (connection) => `${nqnOf(connection)} ${uuidOf(connection) ?? ''}`,
    find: async (connection) => {
      const path = await deviceOf('/sys/class/nvme', nqnOf(connection), uuidOf(connection))
      return path === null ? null : { kind: 'device', path }
    },
    connect: async (connection, _volume, signal) => {
      const find = () => deviceOf('/sys/class/nvme', nqnOf(connection), uuidOf(connection))
      if ((await find()) === null) await programs.run('nvme', connectArguments(connection), signal)
      return untilThere(find, signal)
    },
    disconnect: async (connection, _id, others) => {
      const nqn = nqnOf(connection)
      if (others.some((other) => other.driver_volume_type === 'nvmeof' && nqnOf(other) === nqn)) return
      await programs.run('nvme', ['disconnect', '--nqn', nqn]).catch(unlessNoProgram)
    },
    properties: async () => {
      const nqn = (await readFile('/etc/nvme/hostnqn', 'utf8').catch(() => '')).trim()
      return nqn === '' ? {} : { nqn }
    },
  }
}

/** Cinder's old way to tell it, and its new one. */
function nqnOf(connection: Connection): string {
  return saidOf(connection, 'nqn') === undefined ? textOf(connection, 'target_nqn') : textOf(connection, 'nqn')
}

function uuidOf(connection: Connection): string | null {
  const uuid = saidOf(connection, 'vol_uuid') ?? saidOf(connection, 'volume_uuid')
  return typeof uuid === 'string' ? uuid.toLowerCase() : null
}

/** Arguments of nvme. Pure. */
export function connectArguments(connection: Connection): string[] {
  const { address, port, transport } = portalOf(connection)
  if (!/^tcp$/i.test(transport)) throw new Error(`The host cannot reach NVMe over ${transport}; it can over TCP.`)
  const nqn = saidOf(connection, 'host_nqn')
  const where = ['--transport', 'tcp', '--traddr', address, '--trsvcid', port]
  return ['connect', ...where, '--nqn', nqnOf(connection), ...(typeof nqn === 'string' ? ['--hostnqn', nqn] : [])]
}

function portalOf(connection: Connection): { address: string; port: string; transport: string } {
  const portals: unknown = saidOf(connection, 'portals')
  const first: unknown = Array.isArray(portals) ? portals[0] : undefined
  if (Array.isArray(first)) {
    return { address: String(first[0]), port: String(first[1]), transport: String(first[2] ?? 'tcp') }
  }
  return {
    address: textOf(connection, 'target_portal'),
    port: wordOf(saidOf(connection, 'target_port')) ?? '4420',
    transport: wordOf(saidOf(connection, 'transport_type')) ?? 'tcp',
  }
}

/** Among the controllers in `folder` (/sys/class/nvme): the namespace of that subsystem, by its UUID if it is told. */
export async function deviceOf(folder: string, nqn: string, uuid: string | null): Promise<string | null> {
  for (const controller of await readdir(folder).catch(() => [])) {
    const own = await readFile(join(folder, controller, 'subsysnqn'), 'utf8').catch(() => '')
    if (own.trim() !== nqn) continue
    const names = (await readdir(join(folder, controller))).filter((name) => /^nvme\d+(c\d+)?n\d+$/.test(name))
    for (const name of names) {
      const found = await readFile(join(folder, controller, name, 'uuid'), 'utf8').catch(() => '')
      // With several paths in the kernel's own hands the disk is named without the path.
      if (uuid === null || found.trim() === uuid) return `/dev/${name.replace(/c\d+n/, 'n')}`
    }
  }
  return null
}
