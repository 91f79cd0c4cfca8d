import type { ImageView, ProvenanceView } from '@gantry/facade-native'
import type { Command } from 'commander'
import type { Api } from '../client/api.ts'
import { type Collection, deleteCommand, itemOf, itemPath, itemsOf, printItems, printMade } from './collection.ts'
import { finish, wantsJson, withApi } from './common.ts'
import { imageArchiveCommands } from './image-archive.ts'
import { imageCareCommands } from './image-care.ts'
import { imagePolicyCommand } from './image-policy.ts'
import { imageSharingCommands } from './image-sharing.ts'

export const images: Collection<ImageView> = { noun: 'image', path: '/v1/images', key: 'images' }

export function imageCommand(program: Command): void {
  const image: Command = program
    .command('image')
    .alias('images')
    .description('what containers are made of: list, share, check; `docker push` and `pull` move them')
  listOptions(image).action(async (options: ListOptions) => list(image, options))
  finish(image, { json: true }, [
    { line: 'gantry image', about: 'a table, as `gantry image list`' },
    { line: 'gantry image show team/app:1', about: 'layers, who pushed it, what uses it, who signed it' },
    { line: 'gantry image share team/app:1 --with partner', about: 'another project may run it' },
    { line: 'docker tag app 127.0.0.1:9700/demo/app && docker push 127.0.0.1:9700/demo/app', about: 'brings one here' },
  ])
  const one = listOptions(image.command('list').alias('ls').description('list images that the project may use'))
  one.action(async (options: ListOptions) => list(one, options))
  finish(one, { json: true }, [
    { line: 'gantry image list', about: 'own, shared and public ones' },
    { line: 'gantry image list --only shared', about: 'what others let the project use' },
  ])
  showCommand(image)
  searchCommand(image)
  tagCommand(image)
  imageArchiveCommands(image)
  imageSharingCommands(image)
  deleteCommand(image, images, {
    examples: [
      { line: 'gantry image delete team/app:1', about: 'the name goes; so does content that nothing needs any more' },
    ],
  })
  imagePolicyCommand(image)
  imageCareCommands(image)
}

interface ListOptions {
  readonly only?: string
  readonly allProjects?: boolean
}

function listOptions(command: Command): Command {
  return command
    .option('--only <whose>', 'own, shared or public')
    .option('--all-projects', 'those of every project (administrators)')
}

async function list(command: Command, { only, allProjects }: ListOptions): Promise<void> {
  const query = { ...(allProjects ? { allProjects } : {}), ...(only === undefined ? {} : { owners: only }) }
  await print(command, await withApi(command, (api) => itemsOf(api, images, query)))
}

function searchCommand(image: Command): void {
  const search: Command = image
    .command('search')
    .description('find images by part of a name')
    .argument('<name>')
    .option('--exact', 'only this very name')
    .action(async (name: string, { exact }: { exact?: boolean }) => {
      const query = { name, exact: exact || undefined }
      const found = await withApi(search, (api) => itemsOf(api, { ...images, path: '/v1/images/search' }, query))
      await print(search, found)
    })
  finish(search, { json: true }, [{ line: 'gantry image search --exact busybox', about: 'just that one' }])
}

function tagCommand(image: Command): void {
  const tag: Command = image
    .command('tag')
    .description('give an image a further name')
    .argument('<image>', 'name or id')
    .argument('<name>', 'REPO or REPO:TAG')
    .action(async (ref: string, name: string) => {
      const colon = name.lastIndexOf(':')
      const isTagged = colon > name.lastIndexOf('/')
      const json = isTagged ? { repo: name.slice(0, colon), tag: name.slice(colon + 1) } : { repo: name }
      const path = `${itemPath(images, ref)}/tag`
      const made = await withApi(tag, (api) => api.json<ImageView>({ method: 'POST', path, json }))
      await printMade(tag, made, made.name)
    })
  finish(tag, { json: true }, [
    { line: 'gantry image tag team/app:1 team/app:stable', about: 'both mean the same now' },
  ])
}

function showCommand(image: Command): void {
  const show: Command = image
    .command('show')
    .description('show an image: what it is, where it comes from, who stands on it')
    .argument('<image>', 'name or id')
    .action(async (ref: string) => {
      const { found, provenance } = await withApi(show, async (api) => {
        const item = await itemOf(api, images, ref)
        return { found: item, provenance: await provenanceOf(api, item) }
      })
      const { printJson } = await import('../output/print.ts')
      if (wantsJson(show)) printJson({ ...found, provenance })
      else await printShown(found, provenance)
    })
  finish(show, { json: true }, [
    { line: 'gantry image show team/app:1', about: 'by name or id' },
    { line: 'gantry image show app --json', about: 'all digests in full' },
  ])
}

/** Bytes that only Glance's users know, and what has no content yet, come from nowhere. */
async function provenanceOf(api: Api, { id, kind, status }: ImageView): Promise<ProvenanceView | null> {
  if (kind === 'data' || status !== 'active') return null
  return api.json<ProvenanceView>({ path: `${itemPath(images, id)}/provenance` })
}

async function printShown(image: ImageView, provenance: ProvenanceView | null): Promise<void> {
  const { printProperties, printTable } = await import('../output/print.ts')
  const { ago, bytes } = await import('../output/words.ts')
  const now = Date.now()
  const { visibility } = image
  const pairs: [string, string | null][] = [
    ['id', image.id],
    ['name', image.name],
    ['kind', image.kind],
    ['status', image.status],
    ['readers', visibility === 'private' ? 'the project alone' : visibility],
    ['project', image.projectId],
    ['digest', image.digest],
    ['image id', image.imageId],
    ['in the store', image.bytes === null ? null : bytes(image.bytes)],
    ['unpacked', image.size === null ? null : bytes(image.size)],
    ['protected', image.protected ? 'yes' : null],
    ['platforms', provenance?.platforms.join(', ') ?? null],
    ['pushed', provenance && `${ago(provenance.pushedAt, now)} by ${provenance.pushedBy ?? 'nobody known'}`],
    ['used by', provenance && (provenance.usedBy.join(', ') || 'no container')],
    ['signatures', provenance && signatureText(provenance.signatures)],
  ]
  await printProperties(pairs.filter((pair): pair is [string, string] => pair[1] !== null && pair[1] !== ''))
  if (!provenance || provenance.layers.length === 0) return
  process.stdout.write('\n')
  await printTable(provenance.layers, [
    { title: 'LAYER', value: ({ digest }) => digest.slice(0, 19) },
    { title: 'SIZE', value: (layer) => bytes(layer.bytes) },
    { title: 'MADE BY', value: ({ createdBy }) => createdBy, shrink: 1 },
  ])
}

function signatureText(signatures: ProvenanceView['signatures']): string {
  if (signatures.length === 0) return 'none'
  const trusted = signatures.filter(({ verified }) => verified === true).length
  if (signatures.every(({ verified }) => verified === null)) return `${signatures.length}, not checked: no policy`
  return `${signatures.length}, ${trusted} by a key of the project`
}

async function print(command: Command, found: readonly ImageView[]): Promise<void> {
  const { ago, bytes } = await import('../output/words.ts')
  const now = Date.now()
  await printItems(command, found, [
    { title: 'ID', value: ({ id }) => id },
    { title: 'NAME', value: ({ name }) => name || '-', shrink: 1 },
    { title: 'STATUS', value: ({ status }) => status },
    { title: 'IN STORE', value: (image) => bytes(image.bytes) },
    { title: 'CREATED', value: ({ createdAt }) => ago(createdAt, now) },
    { title: 'READERS', value: ({ visibility }) => visibility },
    { title: 'PROJECT', value: ({ projectId }) => projectId, shrink: 2 },
  ])
}
