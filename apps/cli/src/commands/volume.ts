import type { SnapshotView, VolumeView } from '@gantry/facade-native'
import type { Command } from 'commander'
import type { Api } from '../client/api.ts'
import { Failure, usage } from '../failure.ts'
import {
  type Collection,
  deleteCommand,
  itemOf,
  itemPath,
  itemsOf,
  printItem,
  printItems,
  printMade,
  until,
} from './collection.ts'
import { finish, wholeNumber, withApi } from './common.ts'

const volumes: Collection<VolumeView> = { noun: 'volume', path: '/v1/volumes', key: 'volumes' }
const snapshots: Collection<SnapshotView> = { noun: 'snapshot', path: '/v1/snapshots', key: 'snapshots' }

interface CreateOptions {
  readonly size?: number
  readonly snapshot?: string
  readonly wait: boolean
}

export function volumeCommand(program: Command): void {
  const volume = program.command('volume').description('volumes: data that outlives containers')
  finish(volume, { json: false }, [
    { line: 'gantry volume create data --size 5', about: '5 GiB' },
    { line: 'gantry run -d --mount source=data,target=/var/lib/postgresql postgres', about: 'a container that has it' },
    { line: 'gantry volume snapshot create data --name before', about: 'what is on it now' },
    { line: 'gantry volume create copy --snapshot before', about: 'a volume with that' },
  ])
  createCommand(volume)
  listCommand(volume)
  showCommand(volume)
  renameCommand(volume)
  deleteCommand(volume, volumes, {
    wait: true,
    examples: [
      {
        line: 'gantry volume delete data',
        about: 'and what is on it; refused while a container or a snapshot needs it',
      },
    ],
  })
  const snapshot = volume.command('snapshot').description('snapshots of volumes')
  finish(snapshot, { json: false }, [
    { line: 'gantry volume snapshot create data --name before', about: 'also while a container has the volume' },
    { line: 'gantry volume snapshot list', about: 'a table' },
  ])
  snapshotCreateCommand(snapshot)
  snapshotListCommand(snapshot)
  deleteCommand(snapshot, snapshots, {
    wait: true,
    examples: [{ line: 'gantry volume snapshot delete before', about: 'volumes made from it stay' }],
  })
}

function createCommand(volume: Command): void {
  const command = volume
    .command('create')
    .description('create a volume, empty or from a snapshot')
    .argument('<name>')
    .option('--size <GiB>', "its size; a snapshot's if left out", wholeNumber)
    .option('--snapshot <snapshot>', 'begin with what this one has')
    .option('--no-wait', 'do not wait until it can be used')
    .action(async (name: string, { size, snapshot, wait }: CreateOptions) => {
      if ((size ?? snapshot) === undefined) throw usage('Say how large it is to be: --size GiB.')
      const made = await withApi(command, async (api) => {
        const json = { name, size, snapshot }
        const created = await api.json<VolumeView>({ method: 'POST', path: volumes.path, json })
        return wait ? untilMade(api, volumes, created) : created
      })
      await printMade(command, made, made.id)
    })
  finish(command, { json: true }, [
    { line: 'gantry volume create data --size 5', about: 'prints its id' },
    { line: 'gantry volume create copy --snapshot before', about: 'as large as the snapshot' },
  ])
}

function listCommand(volume: Command): void {
  const command = volume
    .command('list')
    .alias('ls')
    .description('list volumes')
    .option('--all-projects', 'those of every project (administrators)')
    .action(async ({ allProjects }: { allProjects?: boolean }) => {
      await printItems(command, await withApi(command, (api) => itemsOf(api, volumes, { allProjects })), [
        { title: 'ID', value: ({ id }) => id },
        { title: 'NAME', value: ({ name }) => name || '-', shrink: 1 },
        { title: 'SIZE', value: ({ size }) => `${size} GiB` },
        { title: 'STATUS', value: ({ status }) => status },
        { title: 'CONTAINER', value: ({ containerId }) => containerId ?? '-', shrink: 2 },
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry volume list', about: 'a table' }])
}

function showCommand(volume: Command): void {
  const command = volume
    .command('show')
    .description('show a volume')
    .argument('<volume>', 'its name or id')
    .action(async (ref: string) => {
      const found = await withApi(command, (api) => itemOf(api, volumes, ref))
      await printItem(command, found, [
        ['Name', found.name],
        ['Id', found.id],
        ['Size', `${found.size} GiB`],
        ['Status', found.status],
        ['Reason', found.statusReason],
        ['Container', found.containerId],
        ['From snapshot', found.snapshotId],
        ['Goes with it', found.ephemeral ? 'yes' : null],
        ['Host', found.hostId],
        ['Created', found.createdAt],
        ['Project', found.projectId],
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry volume show data', about: 'who has it, and why it failed' }])
}

function renameCommand(volume: Command): void {
  const command = volume
    .command('rename')
    .description('rename a volume')
    .argument('<volume>', 'its name or id')
    .argument('<name>', 'its new name')
    .action(async (ref: string, name: string) => {
      const call = { method: 'PATCH', path: itemPath(volumes, ref), json: { name } } as const
      const renamed = await withApi(command, (api) => api.json<VolumeView>(call))
      await printMade(command, renamed, renamed.id)
    })
  finish(command, { json: true }, [{ line: 'gantry volume rename data old-data', about: 'also while it is in use' }])
}

function snapshotCreateCommand(snapshot: Command): void {
  const command = snapshot
    .command('create')
    .description('keep what is on a volume now')
    .argument('<volume>', 'its name or id')
    .option('--name <name>', 'name of the snapshot')
    .option('--no-wait', 'do not wait until it is complete')
    .action(async (volume: string, { name, wait }: { name?: string; wait: boolean }) => {
      const made = await withApi(command, async (api) => {
        const call = { method: 'POST', path: snapshots.path, json: { volume, name } } as const
        const created = await api.json<SnapshotView>(call)
        return wait ? untilMade(api, snapshots, created) : created
      })
      await printMade(command, made, made.id)
    })
  finish(command, { json: true }, [
    { line: 'gantry volume snapshot create data --name before', about: 'prints its id' },
  ])
}

function snapshotListCommand(snapshot: Command): void {
  const command = snapshot
    .command('list')
    .alias('ls')
    .description('list snapshots')
    .action(async () => {
      await printItems(command, await withApi(command, (api) => itemsOf(api, snapshots)), [
        { title: 'ID', value: ({ id }) => id },
        { title: 'NAME', value: ({ name }) => name || '-', shrink: 1 },
        { title: 'SIZE', value: ({ size }) => `${size} GiB` },
        { title: 'STATUS', value: ({ status }) => status },
        { title: 'VOLUME', value: ({ volumeId }) => volumeId, shrink: 2 },
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry volume snapshot list', about: 'a table' }])
}

async function untilMade<T extends VolumeView | SnapshotView>(
  api: Api,
  collection: Collection<T>,
  { id }: T,
): Promise<T> {
  const made = await until(api, collection, id, ({ status }) => status !== 'creating')
  if (made.status !== 'error') return made
  throw new Failure(
    `The ${collection.noun} ${made.name || id} was not made: ${made.statusReason ?? 'no reason was given'}`,
    {
      remedy: 'It is kept for you to look at.',
    },
  )
}
