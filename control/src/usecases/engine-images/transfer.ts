import type { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import { type Caller, type HostId, namelessRefIn } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { EngineImages } from '../../engine-image-verbs.ts'
import { privateEngineRef, spaceOf } from '../images-of-project.ts'
import { outputOf, required } from '../interact.ts'
import type { OpenStreams } from '../open-streams.ts'
import { catalogueOf, findImage, type KnownImage } from './catalogue.ts'
import { hostForImages } from './image-host.ts'
import { nameImage, soon } from './image-rows.ts'
import { nameOf, newName } from './names.ts'
import { progressLines, progressOf } from './progress-lines.ts'
import type { Turns } from './turns.ts'

/** Images as archives, out and in. */
export function transferVerbs(
  deps: Deps,
  streams: OpenStreams,
  turns: Turns,
): Pick<EngineImages, 'save' | 'load' | 'import'> {
  return {
    async save(caller, names, signal) {
      if (names.length === 0) throw new Fault('request.invalid', { problem: 'No image was named.' })
      const catalogue = await catalogueOf(deps.store, caller)
      const wanted = names.flatMap((name) => wantedOf(catalogue, name))
      const [hostId, other] = new Set(wanted.map((each) => each.hostId))
      if (hostId === undefined || other !== undefined) {
        const reason = 'these are on several hosts; save one after another'
        throw new Fault('request.unsupported', { feature: 'Saving images of several hosts at once', reason })
      }
      const images = merged(wanted)
      const open = () => deps.links.calls(hostId).imageSave({ images }, { signal })
      return required((await streams.opening(caller.projectId, open, outputOf)).output)
    },
    async load(caller, tar, { quiet }, signal) {
      const hostId = await hostForImages(deps, caller)
      const open = () =>
        deps.links.calls(hostId).imageLoad({ space: spaceOf(caller.projectId) }, { signal, input: tar })
      const { output } = await streams.opening(caller.projectId, open, outputOf)
      return progressOf(loaded(deps, caller, turns, hostId, required(output), quiet))
    },
    async import(caller, tar, { repo, tag, message, changes }, signal) {
      const name = repo === null ? null : newName(repo, tag)
      const hostId = await hostForImages(deps, caller)
      const { projectId } = caller
      const engineRef = name
        ? privateEngineRef(projectId, name.repo, name.tag)
        : namelessRefIn(spaceOf(projectId), deps.ids.hex(6))
      const args = { engineRef, message, changes: [...changes] }
      const call = () => deps.links.calls(hostId).imageImport(args, { signal, input: tar })
      const { reply } = await streams.opening(projectId, call, outputOf)
      await turns.take(projectId, () => nameImage(deps, caller, name, { hostId, engineRef, ...reply }))
      deps.activity.note({ type: 'image', action: 'import', id: reply.imageId, projectId, attributes: {} })
      return reply.imageId
    },
  }
}

interface Wanted {
  readonly hostId: HostId
  readonly engineRef: string
  readonly as: string[]
}

/** A name without a tag means all that the project has of it; an id means the image without names. */
function wantedOf(catalogue: readonly KnownImage[], text: string): Wanted[] {
  const hasTag = text.includes('@') || text.lastIndexOf(':') > text.lastIndexOf('/')
  const { repo } = nameOf(text)
  const tagged = hasTag
    ? []
    : catalogue.flatMap(({ hostId, own, shared }) =>
        [...shared, ...own]
          .filter((row) => row.repo === repo && !row.tag.includes(':'))
          .map(({ engineRef, tag }) => ({ hostId, engineRef, as: [`${repo}:${tag}`] })),
      )
  if (tagged.length > 0) return tagged
  const { image, row } = findImage(catalogue, text)
  const { hostId, imageId } = image
  if (!row || row.tag.includes(':')) return [{ hostId, engineRef: imageId, as: [] }]
  return [{ hostId, engineRef: row.engineRef, as: [`${row.repo}:${row.tag}`] }]
}

function merged(wanted: readonly Wanted[]): { engineRef: string; as: string[] }[] {
  const byRef = new Map<string, string[]>()
  for (const { engineRef, as } of wanted) byRef.set(engineRef, [...new Set([...(byRef.get(engineRef) ?? []), ...as])])
  return [...byRef].map(([engineRef, as]) => ({ engineRef, as }))
}

interface LoadedImage {
  readonly imageId: string
  readonly size: number
  readonly names: readonly string[]
  readonly engineRefs: readonly string[]
}

async function* loaded(
  deps: Deps,
  caller: Caller,
  turns: Turns,
  hostId: HostId,
  output: Readable,
  quiet: boolean,
): AsyncGenerator<object> {
  for await (const line of progressLines(output)) {
    if (!('loaded' in line)) {
      if (!quiet || line.error !== undefined) yield line
      continue
    }
    for (const image of line['loaded'] as readonly LoadedImage[]) {
      await turns.take(caller.projectId, () => keepLoaded(deps, caller, hostId, image))
      if (image.names.length === 0) yield { stream: `Loaded image ID: ${image.imageId}\n` }
      for (const name of image.names) yield { stream: `Loaded image: ${name}\n` }
    }
  }
}

async function keepLoaded(
  deps: Deps,
  caller: Caller,
  hostId: HostId,
  { imageId, size, names, engineRefs }: LoadedImage,
): Promise<void> {
  const { projectId } = caller
  for (const [at, engineRef] of engineRefs.entries()) {
    const text = names[at]
    const name = text === undefined ? null : nameOf(text)
    const isKnown =
      name === null &&
      (await catalogueOf(deps.store, caller)).some((each) => each.imageId === imageId && each.own.length > 0)
    // It was loaded without a name, and has one already.
    if (isKnown) await deps.links.calls(hostId).imageRemove({ engineRef }, soon())
    else await nameImage(deps, caller, name, { hostId, imageId, size, engineRef })
    deps.activity.note({ type: 'image', action: 'load', id: imageId, projectId, attributes: { name: text ?? imageId } })
  }
}
