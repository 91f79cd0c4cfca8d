import { createHash } from 'node:crypto'
import { mkdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection } from '@gantry/model'
import { keyLocks } from '../key-locks.ts'
import { mountPoints } from '../mount-table.ts'
import type { Programs } from '../run-program.ts'
import { umount } from '../volume-mounts.ts'
import { type Connector, nameOf, saidOf, textOf, wordOf } from './connector.ts'
import type { ImageExports } from './image-exports.ts'
import { reached } from './local-connector.ts'
import { isMissing } from './records.ts'

export interface NfsOptions {
  readonly folder: string
  readonly images: ImageExports
  readonly programs: Programs
}

/**
 * `nfs`: volumes are files on an export. Where Cinder's own mount of it is on this machine too (`mount_point_base`), that one is
 * used; else the export is mounted in `folder` for as long as there is a volume of it.
 */
export function nfsConnector({ folder, images, programs }: NfsOptions): Connector {
  const locks = keyLocks()
  const ownPoint = (connection: Connection) => join(folder, hashOf(connection))

  const folderNow = async (connection: Connection): Promise<string | null> => {
    const base = saidOf(connection, 'mount_point_base')
    const places = typeof base === 'string' && base !== '' ? [join(base, hashOf(connection))] : []
    const mounted = new Set(await mountPoints())
    return [...places, ownPoint(connection)].find((place) => mounted.has(place)) ?? null
  }

  const mountExport = (connection: Connection, signal?: AbortSignal): Promise<string> =>
    locks.run([hashOf(connection)], async () => {
      const there = await folderNow(connection)
      if (there !== null) return there
      const point = ownPoint(connection)
      await mkdir(point, { recursive: true, mode: 0o700 })
      await programs.run('mount', [...nfsArguments(connection), textOf(connection, 'export'), point], signal)
      return point
    })

  const fileOf = async (connection: Connection): Promise<string | null> => {
    const there = await folderNow(connection)
    return there === null ? null : join(there, nameOf(connection, 'name'))
  }

  return {
    targetOf: (connection) => {
      formatOf(connection)
      return `${textOf(connection, 'export')}/${nameOf(connection, 'name')}`
    },
    find: async (connection, id) => {
      if (formatOf(connection) === 'raw') {
        const file = await fileOf(connection)
        return file === null ? null : reached(file)
      }
      const path = await images.find(id)
      return path === null ? null : { kind: 'file', path }
    },
    connect: async (connection, { id, readOnly }, signal) => {
      const format = formatOf(connection)
      await mountExport(connection, signal)
      const file = await fileOf(connection)
      const found = file === null ? null : await reached(file)
      if (found?.kind !== 'file') throw new Error('Its file is missing on the storage.')
      if (format === 'raw') return found
      return { kind: 'file', path: await images.open(id, found.path, { format, readOnly }) }
    },
    disconnect: async (connection, id, others) => {
      await images.close(id)
      await locks.run([hashOf(connection)], async () => {
        const isShared = others.some(
          (other) => other.driver_volume_type === 'nfs' && hashOf(other) === hashOf(connection),
        )
        if (isShared) return
        const point = ownPoint(connection)
        for (const mounted of await mountPoints()) if (mounted === point) await umount(programs, point)
        await rmdir(point).catch((error: unknown) => {
          if (!isMissing(error)) throw error
        })
      })
    },
  }
}

/** As Cinder and os-brick name the folder that an export is mounted at. */
function hashOf(connection: Connection): string {
  return createHash('md5').update(textOf(connection, 'export')).digest('hex')
}

/** What the storage says of how it is to be mounted, as an option of `mount`. Pure. */
export function nfsArguments(connection: Connection): string[] {
  const options = saidOf(connection, 'options')
  const own = typeof options === 'string' ? options.replace(/^-o\s*/, '').trim() : ''
  return ['-t', 'nfs', '-o', ['nodev', ...(own === '' ? [] : [own])].join(',')]
}

function formatOf(connection: Connection): 'raw' | 'qcow2' {
  const format = saidOf(connection, 'format') ?? 'raw'
  if (format === 'raw' || format === 'qcow2') return format
  throw new Error(`The volume is kept as ${wordOf(format) ?? 'something unknown'}, which cannot be mounted here.`)
}
