import { systemClock } from '@gantry/kernel'
import type { Assignment, ContainerId, Mount, VolumeId } from '@gantry/model'
import { hostVolumes } from '../host-volumes.ts'

/** A process to be killed: makes volumes and snapshots in a state folder, mounts and releases them, until it ends. */
const [stateDir = '', round = ''] = process.argv.slice(2)
const never = new AbortController().signal
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const volumes = hostVolumes({ stateDir, log: silent, clock: systemClock, report: () => {}, signal: never })

/** The test counts lines to choose the moment. */
const tellStep = () => process.stdout.write('step\n')

async function live(name: string): Promise<void> {
  const volume = { kind: 'volume', id: `${name}-v`, size: 1, source: null, made: false, gone: false } as const
  const mount: Mount = { kind: 'volume', volumeId: volume.id as VolumeId, destination: '/data', readOnly: false }
  // Of an assignment only this is read.
  const assignment = { id: `${name}-c` as ContainerId, mounts: [mount] } as unknown as Assignment
  volumes.take(volume)
  await volumes.prepare(assignment, never)
  tellStep()
  volumes.take({ ...volume, kind: 'snapshot', id: `${name}-s`, source: volume.id as VolumeId })
  volumes.take({ ...volume, id: `${name}-copy`, size: 2, source: `${name}-s` as VolumeId })
  volumes.take({ ...volume, id: `${name}-clone`, source: volume.id as VolumeId, sourceKind: 'volume' })
  tellStep()
  volumes.take({ ...volume, size: 2, made: true })
  volumes.take({ ...volume, id: `${name}-clone`, size: 2, made: true })
  tellStep()
  await volumes.release(assignment.id)
  tellStep()
  volumes.take({ ...volume, gone: true })
  await volumes.prepare({ ...assignment, id: `${name}-d` as ContainerId }, never).catch(() => undefined)
  tellStep()
}

await volumes.held()
tellStep()
for (let n = 0; ; n += 1) await Promise.all([live(`r${round}-${n}-a`), live(`r${round}-${n}-b`)])
