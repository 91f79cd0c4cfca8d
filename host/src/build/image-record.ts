import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ImageConfig } from '@gantry/dockerfile'
import { pack } from 'tar-stream'
import type { BuildApi, HistoryLine, ImageFacts } from '../engine/build-api.ts'

/** As image configs spell it (OCI image specification, "history"). */
export interface HistoryEntry {
  readonly created: string
  readonly author?: string
  readonly created_by: string
  readonly comment?: string
  readonly empty_layer?: true
}

/** All that makes up an image beside the bytes of its layers. */
export interface ImageRecord {
  /** `sha256:…`; empty: the nothing that `FROM scratch` begins with. */
  readonly id: string
  readonly author: string
  readonly architecture: string
  readonly variant: string
  readonly os: string
  readonly config: ImageConfig
  readonly diffIds: readonly string[]
  readonly history: readonly HistoryEntry[]
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

export function scratch(): ImageRecord {
  const architecture = architectures[process.arch] ?? process.arch
  return { id: '', author: '', architecture, variant: '', os: 'linux', config: {}, diffIds: [], history: [] }
}

/** null: the engine has no such image. */
export async function readRecord(builds: BuildApi, ref: string, signal: AbortSignal): Promise<ImageRecord | null> {
  const facts = await builds.image(ref, signal)
  return facts && recordOf(facts, await builds.history(facts.Id, signal))
}

/** The engine keeps to itself which lines of the history have no layer; exactly as many as there are layers have one. */
export function recordOf(facts: ImageFacts, lines: readonly HistoryLine[]): ImageRecord {
  const diffIds = facts.RootFS.Layers ?? []
  const likely = lines.map((line, index) => ({ index, weight: layerWeight(line) }))
  likely.sort((a, b) => b.weight - a.weight)
  const layered = new Set(likely.slice(0, diffIds.length).map(({ index }) => index))
  const history = lines.map((line, index) => historyEntry(line, layered.has(index))).toReversed()
  return {
    id: facts.Id,
    author: facts.Author ?? '',
    architecture: facts.Architecture,
    variant: facts.Variant ?? '',
    os: facts.Os,
    config: facts.Config ?? {},
    diffIds,
    history: lines.length < diffIds.length ? [] : history,
  }
}

function layerWeight({ Size, CreatedBy }: HistoryLine): number {
  if (Size > 0) return 3
  if (!CreatedBy.includes('#(nop)')) return 2
  return /#\(nop\) (COPY|ADD|WORKDIR)/.test(CreatedBy) ? 1 : 0
}

function historyEntry({ Created, CreatedBy, Comment }: HistoryLine, layered: boolean): HistoryEntry {
  return {
    created: new Date(Created * 1000).toISOString(),
    created_by: CreatedBy,
    ...(Comment !== '' && { comment: Comment }),
    ...(!layered && { empty_layer: true }),
  }
}

/**
 * Makes an image whose layers the engine has already: a `docker load` that holds a config and no layer. Unlike a commit it
 * leaves nothing in the config of the container that made a layer. Answers the image's id.
 */
export async function writeImage(
  builds: BuildApi,
  record: Omit<ImageRecord, 'id'>,
  { ref, created, containerConfig }: { ref: string | null; created: string; containerConfig: ImageConfig },
): Promise<string> {
  const config = JSON.stringify({
    architecture: record.architecture,
    ...(record.variant !== '' && { variant: record.variant }),
    ...(record.author !== '' && { author: record.author }),
    os: record.os,
    created,
    config: record.config,
    container_config: containerConfig,
    docker_version: '20.10',
    history: record.history,
    rootfs: { type: 'layers', diff_ids: record.diffIds },
  })
  const digest = createHash('sha256').update(config).digest('hex')
  const layers = record.diffIds.map((_, index) => `${index}/layer.tar`)
  const manifest = [{ Config: `${digest}.json`, RepoTags: ref === null ? null : [ref], Layers: layers }]
  const tar = pack()
  tar.entry({ name: `${digest}.json` }, config)
  tar.entry({ name: 'manifest.json' }, JSON.stringify(manifest))
  tar.finalize()
  await builds.load(Readable.from(tar))
  return `sha256:${digest}`
}
