import type { SnapshotView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { type Collection, deleteCommand, itemOf, itemsOf, printItem, printItems, printMade } from './collection.ts'
import { finish, withApi } from './common.ts'
import { untilMade } from './volume-made.ts'

/** A backup shows the same. */
type CopyView = SnapshotView

/** What the commands of snapshots and of backups differ in. */
interface Copies extends Collection<CopyView> {
  readonly about: string
  readonly creates: string
  /** What stays when one is deleted. */
  readonly deleted: string
}

const snapshots: Copies = {
  noun: 'snapshot',
  path: '/v1/snapshots',
  key: 'snapshots',
  about: 'snapshots of volumes, kept where the volume is',
  creates: 'keep what is on a volume now, beside it',
  deleted: 'volumes made from it stay',
}
const backups: Copies = {
  noun: 'backup',
  path: '/v1/backups',
  key: 'backups',
  about: 'backups of volumes, kept away from the volume',
  creates: 'copy what is on a volume now to where its loss does not reach',
  deleted: 'the volume, and those made from it, stay',
}

/** `volume snapshot` and `volume backup`: create, list, show, delete. */
export function volumeCopyCommands(volume: Command): void {
  for (const copies of [snapshots, backups]) {
    const { noun } = copies
    const command = volume.command(noun).description(copies.about)
    finish(command, { json: false }, [
      { line: `gantry volume ${noun} create data --name before`, about: 'also while a container has the volume' },
      { line: `gantry volume create copy --${noun} before`, about: 'a new volume with what it has' },
      { line: `gantry volume ${noun} list`, about: 'a table' },
    ])
    createCommand(command, copies)
    listCommand(command, copies)
    showCommand(command, copies)
    deleteCommand(command, copies, {
      wait: true,
      examples: [{ line: `gantry volume ${noun} delete before`, about: copies.deleted }],
    })
  }
}

function createCommand(parent: Command, copies: Copies): void {
  const { noun, path, creates } = copies
  const command = parent
    .command('create')
    .description(creates)
    .argument('<volume>', 'its name or id')
    .option('--name <name>', `name of the ${noun}`)
    .option('--no-wait', 'do not wait until it is complete')
    .action(async (volume: string, { name, wait }: { name?: string; wait: boolean }) => {
      const made = await withApi(command, async (api) => {
        const created = await api.json<CopyView>({ method: 'POST', path, json: { volume, name } })
        return wait ? untilMade(api, copies, created) : created
      })
      await printMade(command, made, made.id)
    })
  finish(command, { json: true }, [
    { line: `gantry volume ${noun} create data --name before`, about: 'prints its id when it is complete' },
    { line: `gantry volume ${noun} create data --no-wait`, about: 'prints its id at once' },
  ])
}

function listCommand(parent: Command, copies: Copies): void {
  const command = parent
    .command('list')
    .alias('ls')
    .description(`list ${copies.noun}s`)
    .action(async () => {
      await printItems(command, await withApi(command, (api) => itemsOf(api, copies)), [
        { title: 'ID', value: ({ id }) => id },
        { title: 'NAME', value: ({ name }) => name || '-', shrink: 1 },
        { title: 'SIZE', value: ({ size }) => `${size} GiB` },
        { title: 'STATUS', value: ({ status }) => status },
        { title: 'VOLUME', value: ({ volumeId }) => volumeId, shrink: 2 },
      ])
    })
  finish(command, { json: true }, [{ line: `gantry volume ${copies.noun} list`, about: 'a table' }])
}

function showCommand(parent: Command, copies: Copies): void {
  const command = parent
    .command('show')
    .description(`show a ${copies.noun}`)
    .argument('<ref>', 'its name or id')
    .action(async (ref: string) => {
      const found = await withApi(command, (api) => itemOf(api, copies, ref))
      await printItem(command, found, [
        ['Name', found.name],
        ['Id', found.id],
        ['Of volume', found.volumeId],
        ['Size', `${found.size} GiB`],
        ['Status', found.status],
        ['Reason', found.statusReason],
        ['Created', found.createdAt],
        ['Project', found.projectId],
      ])
    })
  finish(command, { json: true }, [
    { line: `gantry volume ${copies.noun} show before`, about: 'how it is, and why it failed' },
  ])
}
