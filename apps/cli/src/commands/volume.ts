import type { VolumeView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { usage } from '../failure.ts'
import {
  type Collection,
  deleteCommand,
  itemOf,
  itemPath,
  itemsOf,
  printItem,
  printItems,
  printMade,
} from './collection.ts'
import { finish, wholeNumber, withApi } from './common.ts'
import { volumeCopyCommands } from './volume-copies.ts'
import { untilMade } from './volume-made.ts'

const volumes: Collection<VolumeView> = { noun: 'volume', path: '/v1/volumes', key: 'volumes' }

interface CreateOptions {
  readonly size?: number
  readonly snapshot?: string
  readonly fromVolume?: string
  readonly backup?: string
  readonly backend?: string
  readonly type?: string
  readonly multiattach?: boolean
  readonly zone?: string
  readonly fsType?: string
  readonly description?: string
  readonly wait: boolean
}

/** volume: create, list, show, rename, extend, delete, and their snapshots and backups. */
export function volumeCommand(program: Command): void {
  const volume = program.command('volume').description('volumes: data that outlives containers')
  finish(volume, { json: false }, [
    { line: 'gantry volume create data --size 5', about: '5 GiB' },
    { line: 'gantry run -d --mount source=data,target=/var/lib/postgresql postgres', about: 'a container that has it' },
    { line: 'gantry volume show data', about: 'which container has it, and where' },
    { line: 'gantry volume extend data --size 8', about: '8 GiB from now on, also while it is in use' },
    { line: 'gantry volume snapshot create data --name before', about: 'what is on it now' },
    { line: 'gantry volume create copy --snapshot before', about: 'a volume with that' },
  ])
  createCommand(volume)
  listCommand(volume)
  showCommand(volume)
  renameCommand(volume)
  extendCommand(volume)
  deleteCommand(volume, volumes, {
    wait: true,
    examples: [
      {
        line: 'gantry volume delete data',
        about: 'and what is on it; refused while a container or a snapshot needs it',
      },
    ],
  })
  volumeCopyCommands(volume)
}

const createManual = `
Where it is kept:
  A cloud of its own keeps a volume as a file on one host, and a container that mounts it runs there.
  Beside an OpenStack it is a volume of Cinder, or with --backend manila a share of Manila.
  --type, --multiattach, --zone and --fs-type are for those.`

function createCommand(volume: Command): void {
  const command = volume
    .command('create')
    .description('create a volume, empty or with what a snapshot, another volume or a backup has')
    .argument('<name>')
    .option('--size <GiB>', 'its size; that of what it begins with if left out', wholeNumber)
    .option('--snapshot <snapshot>', 'begin with what this snapshot has')
    .option('--from-volume <volume>', 'begin with what this volume has now')
    .option('--backup <backup>', 'begin with what this backup has')
    .option('--backend <service>', 'keep it in local, cinder or manila (default: the first that the cloud has)')
    .option('--type <type>', 'a kind of storage that the service offers')
    .option('--multiattach', 'several hosts may reach it at once')
    .option('--zone <zone>', 'availability zone')
    .option('--fs-type <name>', 'file system that a new one is given (default: ext4)')
    .option('--description <text>', 'shown by the service that keeps it')
    .option('--no-wait', 'do not wait until it can be used')
    .addHelpText('after', createManual)
    .action(async (name: string, options: CreateOptions) => {
      const json = newVolume(name, options)
      const made = await withApi(command, async (api) => {
        const created = await api.json<VolumeView>({ method: 'POST', path: volumes.path, json })
        return options.wait ? untilMade(api, volumes, created) : created
      })
      await printMade(command, made, made.id)
    })
  finish(command, { json: true }, [
    { line: 'gantry volume create data --size 5', about: 'prints its id' },
    { line: 'gantry volume create copy --snapshot before', about: 'as large as the snapshot' },
    { line: 'gantry volume create copy --from-volume data --size 9', about: 'a larger one with the same data' },
    { line: 'gantry volume create files --size 5 --backend manila', about: 'a share, for containers on any host' },
    { line: 'gantry volume create data --size 5 --multiattach --fs-type xfs', about: 'for several readers' },
  ])
}

function newVolume(name: string, options: CreateOptions) {
  const { size, snapshot, fromVolume, backup, backend, type, multiattach, zone, fsType, description } = options
  const origins = [snapshot, fromVolume, backup].filter((origin) => origin !== undefined)
  if (origins.length > 1) throw usage('It can begin with one of --snapshot, --from-volume and --backup.')
  if (size === undefined && origins.length === 0) throw usage('Say how large it is to be: --size GiB.')
  return {
    name,
    size,
    snapshot,
    volume: fromVolume,
    backup,
    backend,
    type,
    multiattach,
    availabilityZone: zone,
    fsType,
    description,
  }
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
        { title: 'KEPT BY', value: ({ backend }) => backend },
        { title: 'CONTAINER', value: (one) => containersOf(one).join(', ') || '-', shrink: 2 },
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
        ['Kept by', found.backend],
        ['Type', found.volumeType],
        ['For', found.multiattach ? 'several hosts' : found.shared ? 'several containers of one host' : null],
        ...mountedPairs(found),
        ['From snapshot', found.snapshotId],
        ['From volume', found.sourceVolumeId],
        ['Goes with it', found.ephemeral ? 'yes' : null],
        ['Host', found.host ?? found.hostId],
        ['Created', found.createdAt],
        ['Project', found.projectId],
      ])
    })
  finish(command, { json: true }, [
    { line: 'gantry volume show data', about: 'which containers have it, and why it failed' },
    { line: 'gantry volume show data --json', about: 'for a program' },
  ])
}

/** A line for each: `web at /data, read-only`. */
function mountedPairs({ mounts, containerId }: VolumeView): (readonly [string, string | null])[] {
  if (mounts.length === 0) return [['Container', containerId]]
  return mounts.map(({ containerName, destination, readOnly }, index) => [
    index === 0 ? 'Mounted' : '',
    `${containerName} at ${destination}${readOnly ? ', read-only' : ''}`,
  ])
}

function containersOf({ mounts, containerId }: VolumeView): string[] {
  const names = new Set(mounts.map(({ containerName }) => containerName))
  return names.size === 0 && containerId !== null ? [containerId] : [...names]
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

function extendCommand(volume: Command): void {
  const command = volume
    .command('extend')
    .description('let a volume grow, and the file system on it')
    .argument('<volume>', 'its name or id')
    .requiredOption('--size <GiB>', 'so large it is to be: more than it is', wholeNumber)
    .action(async (ref: string, { size }: { size: number }) => {
      const call = { method: 'PATCH', path: itemPath(volumes, ref), json: { size } } as const
      const grown = await withApi(command, (api) => api.json<VolumeView>(call))
      await printMade(command, grown, grown.id)
    })
  finish(command, { json: true }, [
    { line: 'gantry volume extend data --size 8', about: 'also while a container has it; it never shrinks' },
  ])
}
