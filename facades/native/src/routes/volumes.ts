import { callerOf } from '@gantry/http'
import { type App, type NativeContext, Ref } from '../context.ts'
import { deleting, listing, operation, showing } from '../operation.ts'
import { AllProjects, isYes, Nothing } from '../query.ts'
import { CreateSnapshot, CreateVolume, RenameVolume } from '../schemas-storage.ts'
import { toSnapshotView, toVolumeView } from '../translate-storage.ts'

const tag = 'volumes'
const volume = { tag, noun: 'volume', schema: 'Volume' }
const snapshot = { tag, noun: 'snapshot', schema: 'Snapshot' }

export function volumeRoutes(app: App, { control }: NativeContext): void {
  const { volumes } = control.storage
  app.get('/volumes', { schema: listing(volume, AllProjects) }, async (request) => {
    const caller = callerOf(request)
    const found = await volumes.list(caller, { allProjects: isYes(request.query.allProjects) })
    return { volumes: found.map((one) => toVolumeView(one, caller)) }
  })
  app.post('/volumes', { schema: createDoc }, async (request, reply) => {
    const made = await volumes.create(callerOf(request), request.body)
    return reply
      .code(202)
      .header('location', `/v1/volumes/${made.id}`)
      .send(toVolumeView(made, callerOf(request)))
  })
  app.get('/volumes/:ref', { schema: showing(volume, Nothing) }, async (request) => {
    return toVolumeView(await volumes.get(callerOf(request), request.params.ref), callerOf(request))
  })
  app.patch('/volumes/:ref', { schema: renameDoc }, async (request) => {
    const { ref } = request.params
    return toVolumeView(await volumes.rename(callerOf(request), ref, request.body.name), callerOf(request))
  })
  app.delete('/volumes/:ref', { schema: deleting(volume, Nothing, 202) }, async (request, reply) => {
    await volumes.delete(callerOf(request), request.params.ref)
    return reply.code(202).send()
  })
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

const createDoc = operation({
  operationId: 'createVolume',
  summary: 'Create a volume, empty or from a snapshot',
  tag,
  body: CreateVolume,
  answer: { status: 202, description: 'It is being created.', content: 'Volume' },
})
const renameDoc = operation({
  operationId: 'renameVolume',
  summary: 'Rename a volume',
  tag,
  params: Ref,
  body: RenameVolume,
  answer: { status: 200, description: 'The volume under its new name.', content: 'Volume' },
})
const createSnapshotDoc = operation({
  operationId: 'createSnapshot',
  summary: 'Keep what is on a volume now',
  tag,
  body: CreateSnapshot,
  answer: { status: 202, description: 'It is being made.', content: 'Snapshot' },
})
