import { type Control, mountedVolumes } from '@gantry/control'
import { callerOf } from '@gantry/http'
import type { Caller, Volume } from '@gantry/model'
import { type App, type NativeContext, Ref } from '../context.ts'
import { deleting, listing, operation, showing } from '../operation.ts'
import { AllProjects, isYes, Nothing } from '../query.ts'
import { ChangeVolume, CreateBackup, CreateSnapshot, CreateVolume, type VolumeView } from '../schemas-storage.ts'
import { toBackupView, toSnapshotView, toVolumeView, type VolumeSurroundings } from '../translate-storage.ts'

const tag = 'volumes'
const volume = { tag, noun: 'volume', schema: 'Volume' }
const snapshot = { tag, noun: 'snapshot', schema: 'Snapshot' }
const backup = { tag, noun: 'backup', schema: 'Backup' }

export function volumeRoutes(app: App, { control }: NativeContext): void {
  const { volumes } = control.storage
  app.get('/volumes', { schema: listing(volume, AllProjects) }, async (request) => {
    const caller = callerOf(request)
    const allProjects = isYes(request.query.allProjects)
    const found = await volumes.list(caller, { allProjects })
    const around = await surroundings(control, caller, found, allProjects)
    return { volumes: found.map((one) => toVolumeView(one, caller, around)) }
  })
  app.post('/volumes', { schema: createDoc }, async (request, reply) => {
    const made = await volumes.create(callerOf(request), request.body)
    return reply
      .code(202)
      .header('location', `/v1/volumes/${made.id}`)
      .send(await show(control, callerOf(request), made))
  })
  app.get('/volumes/:ref', { schema: showing(volume, Nothing) }, async (request) => {
    return show(control, callerOf(request), await volumes.get(callerOf(request), request.params.ref))
  })
  app.patch('/volumes/:ref', { schema: changeDoc }, async (request) => {
    const caller = callerOf(request)
    const { ref } = request.params
    const { name, size } = request.body
    // First what may be refused.
    const grown = size === undefined ? undefined : await volumes.extend(caller, ref, size)
    const renamed = name === undefined ? undefined : await volumes.rename(caller, grown?.id ?? ref, name)
    return show(control, caller, renamed ?? grown ?? (await volumes.get(caller, ref)))
  })
  app.delete('/volumes/:ref', { schema: deleting(volume, Nothing, 202) }, async (request, reply) => {
    await volumes.delete(callerOf(request), request.params.ref)
    return reply.code(202).send()
  })
}

async function show(control: Control, caller: Caller, volume: Volume): Promise<VolumeView> {
  const isElsewhere = caller.isAdmin && volume.projectId !== caller.projectId
  return toVolumeView(volume, caller, await surroundings(control, caller, [volume], isElsewhere))
}

/** Asks for as little as the views of these volumes need. */
async function surroundings(
  control: Control,
  caller: Caller,
  volumes: readonly Volume[],
  elsewhere: boolean,
): Promise<VolumeSurroundings> {
  const areMounted = volumes.some(({ status, containerId }) => status === 'in-use' || containerId !== null)
  const areSomewhere = caller.isAdmin && volumes.some(({ hostId }) => hostId !== null)
  const [mounts, hosts] = await Promise.all([
    areMounted ? mountedVolumes(control, caller, elsewhere ? null : caller.projectId) : new Map(),
    areSomewhere ? control.hosts.list(caller) : [],
  ])
  return { mounts, hostNames: new Map(hosts.map(({ id, name }) => [id, name])) }
}

export function snapshotRoutes(app: App, { control }: NativeContext): void {
  const { snapshots } = control.storage
  app.get('/snapshots', { schema: listing(snapshot, Nothing) }, async (request) => {
    return { snapshots: (await snapshots.list(callerOf(request))).map(toSnapshotView) }
  })
  app.post('/snapshots', { schema: createSnapshotDoc }, async (request, reply) => {
    const { volume: of, name = '' } = request.body
    const made = await snapshots.create(callerOf(request), of, name)
    return reply.code(202).header('location', `/v1/snapshots/${made.id}`).send(toSnapshotView(made))
  })
  app.get('/snapshots/:ref', { schema: showing(snapshot, Nothing) }, async (request) => {
    return toSnapshotView(await snapshots.get(callerOf(request), request.params.ref))
  })
  app.delete('/snapshots/:ref', { schema: deleting(snapshot, Nothing, 202) }, async (request, reply) => {
    await snapshots.delete(callerOf(request), request.params.ref)
    return reply.code(202).send()
  })
}

export function backupRoutes(app: App, { control }: NativeContext): void {
  const { backups } = control.storage
  app.get('/backups', { schema: listing(backup, Nothing) }, async (request) => {
    return { backups: (await backups.list(callerOf(request))).map(toBackupView) }
  })
  app.post('/backups', { schema: createBackupDoc }, async (request, reply) => {
    const { volume: of, name = '' } = request.body
    const made = await backups.create(callerOf(request), of, name)
    return reply.code(202).header('location', `/v1/backups/${made.id}`).send(toBackupView(made))
  })
  app.get('/backups/:ref', { schema: showing(backup, Nothing) }, async (request) => {
    return toBackupView(await backups.get(callerOf(request), request.params.ref))
  })
  app.delete('/backups/:ref', { schema: deleting(backup, Nothing, 202) }, async (request, reply) => {
    await backups.delete(callerOf(request), request.params.ref)
    return reply.code(202).send()
  })
}

const createDoc = operation({
  operationId: 'createVolume',
  summary: 'Create a volume, empty or from a snapshot, another volume or a backup',
  description: 'At most one of `snapshot`, `volume` and `backup`; without one it needs a `size`.',
  tag,
  body: CreateVolume,
  answer: { status: 202, description: 'It is being created.', content: 'Volume' },
})
const changeDoc = operation({
  operationId: 'changeVolume',
  summary: 'Rename a volume, or let it grow',
  tag,
  params: Ref,
  body: ChangeVolume,
  answer: { status: 200, description: 'The volume as it is now.', content: 'Volume' },
})
const createSnapshotDoc = operation({
  operationId: 'createSnapshot',
  summary: 'Keep what is on a volume now',
  tag,
  body: CreateSnapshot,
  answer: { status: 202, description: 'It is being made.', content: 'Snapshot' },
})
const createBackupDoc = operation({
  operationId: 'createBackup',
  summary: 'Keep what is on a volume now, away from it',
  description: 'Also while a container has it. `POST /v1/volumes` with `backup` makes a volume of it, on any host.',
  tag,
  body: CreateBackup,
  answer: { status: 202, description: 'It is being made.', content: 'Backup' },
})
