import { rmdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { reasonOf } from '@gantry/kernel'
import type { Connection } from '@gantry/model'
import type { HostLog } from '../../agent/host-log.ts'
import type { Programs } from '../run-program.ts'
import type { AttachedVolume, AttachedVolumes } from './attached-volumes.ts'
import type { Connector, OnDevice } from './connector.ts'
import { connectorProperties } from './connector-properties.ts'
import { type FileSystem, growMounted, growUnmounted, mountArguments } from './file-systems.ts'
import { iscsiConnector } from './iscsi-connector.ts'
import { localConnector } from './local-connector.ts'
import { imageExports } from './image-exports.ts'
import { isInUse, loopDevices, sizeOf, untilFree } from './loop-devices.ts'
import { nfsConnector } from './nfs-connector.ts'
import { nvmeConnector } from './nvme-connector.ts'
import { pointsBy } from './points.ts'
import { shareConnector } from './share-connector.ts'
import { fileSystemNow, type ReadyContext, readyFileSystem } from './ready-file-system.ts'
import { rbdConnector } from './rbd-connector.ts'
import { recordsIn, type VolumeRecord } from './records.ts'

export interface AttachedOptions {
  /** For records and mounts of exports. No other process may use it; what one before left is found there. */
  readonly folder: string
  /** Once those of a process before have ended (`allEnded`). */
  readonly programs: Programs
  readonly log: HostLog
  /** What the storage, and other machines, are told this one is called; its host name unless told. */
  readonly host?: string
  /** Its address for the storage; found out unless told. */
  readonly address?: string
}

/** Volumes of other services on this machine, by whatever the storage offers that this machine knows how to use. */
export function attachedVolumes({
  folder,
  programs,
  log,
  host = hostname(),
  address,
}: AttachedOptions): AttachedVolumes {
  const records = recordsIn(join(folder, 'records'))
  const points = pointsBy(programs)
  const loops = loopDevices({ folder, host, programs })
  const images = imageExports(join(folder, 'images'), host, programs)
  const connectors: Readonly<Record<string, Connector>> = {
    local: localConnector,
    nfs: nfsConnector({ folder: join(folder, 'exports'), images, programs }),
    iscsi: iscsiConnector(programs),
    rbd: rbdConnector(join(folder, 'ceph'), programs),
    nvmeof: nvmeConnector(programs),
    share: shareConnector(join(folder, 'keys')),
  }

  const connectorOf = ({ driver_volume_type: type }: Connection): Connector => {
    const found = Object.hasOwn(connectors, type) ? connectors[type] : undefined
    if (found) return found
    const known = Object.keys(connectors).join(', ')
    throw new Error(`The host cannot reach volumes of the kind ${type}; it can reach: ${known}.`)
  }
  const targetOf = ({ connection }: AttachedVolume) =>
    `${connection.driver_volume_type} ${connectorOf(connection).targetOf(connection)}`
  const findReached = ({ connection, id }: AttachedVolume) => connectorOf(connection).find(connection, id)

  /** The device of a volume; a file is locked with it. */
  const deviceOf = async ({ id, readOnly }: AttachedVolume, { kind, path }: OnDevice): Promise<string> =>
    kind === 'file' ? loops.attach(id, path, { readOnly }) : path

  /** The device that it has now; null: it has none. */
  const deviceNow = async (record: AttachedVolume): Promise<string | null> => {
    const loop = await loops.find(record.id)
    if (loop !== null) return loop
    const reached = await findReached(record)
    return reached?.kind === 'device' ? reached.path : null
  }

  /** The device has the size that the storage says by now. */
  const refresh = async ({ connection, id }: AttachedVolume): Promise<void> => {
    await connectorOf(connection).refresh?.(connection, id)
    const loop = await loops.find(id)
    if (loop !== null) await programs.run('losetup', ['--set-capacity', loop])
  }

  const noteSize = async (volume: AttachedVolume, device: string): Promise<void> => {
    // Else the storage is behind, and it is tried again.
    if ((await sizeOf(device)) >= volume.size * gib) await records.write({ ...volume, grownTo: volume.size })
  }

  /** Containers go on meanwhile. */
  const growInUse = async (volume: AttachedVolume): Promise<void> => {
    const device = await deviceNow(volume)
    if (device === null || volume.readOnly) return
    await refresh(volume)
    await growMounted(await fileSystemNow(device, programs), device, volume.point, programs)
    await noteSize(volume, device)
  }

  /** What was mounted a moment ago, and nobody has. It may be unmounted afterwards. */
  const growNew = async (volume: AttachedVolume, system: FileSystem, device: string): Promise<void> => {
    try {
      await growMounted(system, device, volume.point, programs)
    } catch (error) {
      if (!system.growUnmounted) throw error
      await points.unmount(volume)
      await untilFree(device)
      await growUnmounted(system, device, programs)
    }
    await noteSize(volume, device)
  }

  /** Only one who may write can give it a file system. */
  const readyToRead = async (volume: AttachedVolume, reached: OnDevice, context: ReadyContext): Promise<void> => {
    const writable = { ...volume, readOnly: false }
    const device = await deviceOf(writable, reached)
    if (await isInUse(device)) return
    await readyFileSystem(writable, device, context)
    await loops.detach(volume.id)
  }

  const mountDevice = async (volume: AttachedVolume, reached: OnDevice, signal: AbortSignal): Promise<void> => {
    const context = { isFile: reached.kind === 'file', signal, programs, log }
    if (volume.readOnly && isToFormat(volume)) await readyToRead(volume, reached, context)
    const device = await deviceOf(volume, reached)
    // In use: it was unmounted here while a container still saw it, and nothing may be done under that one's feet.
    const { system, isNew } = (await isInUse(device))
      ? { system: await fileSystemNow(device, programs), isNew: false }
      : await readyFileSystem(volume, device, context)
    const mount = () => points.mount(volume, [...mountArguments(system, { ...volume, isFile: context.isFile }), device])
    await mount()
    // Nothing was ever in it, and databases refuse a folder that is not empty.
    if (isToFormat(volume)) await rmdir(join(volume.point, 'lost+found')).catch(() => undefined)
    if (isNew) return noteSize(volume, device)
    if (!volume.readOnly) await growNew(volume, system, device).catch(notGrown(volume))
    if (!(await points.isMounted(volume))) await mount()
  }

  const notGrown = (volume: AttachedVolume) => (error: unknown) => {
    log.warn({ volume: volume.id, reason: reasonOf(error) }, 'file system not grown')
  }

  const mountNew = async (volume: AttachedVolume, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted()
    await records.write({ ...volume, grownTo: 0 })
    // One who may only read could not give it a file system.
    const access = { id: volume.id, readOnly: volume.readOnly && !isToFormat(volume) }
    const reached = await connectorOf(volume.connection).connect(volume.connection, access, signal)
    if (reached.kind !== 'share') return mountDevice(volume, reached, signal)
    await points.mount(volume, reached.argumentsFor(volume.readOnly))
  }

  const unmount = async (id: string): Promise<void> => {
    const record = await records.read(id)
    if (record === null) return
    await points.unmount(record)
    await loops.detach(id)
    const reached = await findReached(record)
    if (reached?.kind === 'device') await untilFree(reached.path)
    const others = (await records.all()).filter((other) => other.id !== id).map((other) => other.connection)
    await connectorOf(record.connection).disconnect(record.connection, id, others)
    await records.remove(id)
  }

  const isMounted = async (id: string): Promise<boolean> => {
    const record = await records.read(id)
    return record !== null && (await points.isMounted(record))
  }

  /** What is left of it, whole or not, goes, unless containers still see it: then it is mounted for more. */
  const makeWay = async (before: VolumeRecord, volume: AttachedVolume): Promise<void> => {
    if (targetOf(before) === targetOf(volume) && !isTooLittle(before, volume)) {
      await points.unmount(before)
      const device = await deviceNow(before)
      if (device !== null && (await isInUse(device))) return
    }
    await unmount(volume.id)
  }

  return {
    list: () => records.ids(),
    unmount,
    isMounted,
    mount: async (volume, signal) => {
      const target = targetOf(volume)
      const before = await records.read(volume.id)
      if (before !== null) {
        const isSame = targetOf(before) === target && before.point === volume.point && !isTooLittle(before, volume)
        if (isSame && (await points.isMounted(before))) {
          // What is writable stays so: somebody may be writing.
          const now = { ...volume, readOnly: before.readOnly, grownTo: before.grownTo }
          await records.write(now)
          if (volume.size > before.grownTo) await growInUse(now).catch(notGrown(now))
          return
        }
        await makeWay(before, volume)
      }
      try {
        await mountNew(volume, signal)
      } catch (error) {
        await unmount(volume.id).catch((reason: unknown) => {
          log.warn({ volume: volume.id, reason: reasonOf(reason) }, 'volume left connected')
        })
        throw error
      }
    },
    connector: () =>
      connectorProperties({ host, ...(address !== undefined && { address }) }, Object.values(connectors)),
  }
}

/** No host has mounted it yet, as far as anybody knows. */
function isToFormat({ blank, maybeBlank = false }: AttachedVolume): boolean {
  return blank || maybeBlank
}

/** It may be read now, and shall be written. */
function isTooLittle(before: AttachedVolume, wanted: AttachedVolume): boolean {
  return before.readOnly && !wanted.readOnly
}

const gib = 2 ** 30
