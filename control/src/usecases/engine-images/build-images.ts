import { Fault, type Turns } from '@gantry/kernel'
import { type Caller, type HostId, registryOf } from '@gantry/model'
import { pulledFrom } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import type { BuildRequest } from '../../engine-image-verbs.ts'
import { requireSigned } from '../registry/signatures.ts'
import { bringImage } from './giving.ts'
import { manifestOf } from './look.ts'
import { nameOf, newName } from './names.ts'
import { findImage, findImageIfAny, type FoundImage } from './project-images.ts'
import { openPull } from './pulling.ts'

export interface BuildSite {
  readonly deps: Deps
  readonly caller: Caller
  readonly turns: Turns
  readonly hostId: HostId
  readonly request: BuildRequest
  readonly signal: AbortSignal
}

/** What a name in a Dockerfile means, on the host afterwards: what the project has or sees of it, else what the registry has. */
export async function* imageFor(site: BuildSite, text: string): AsyncGenerator<object, string> {
  const known = await findImageIfAny(site.deps, site.caller, text)
  const found = known && !isStale(known, site.request) ? known : yield* pulled(site, text)
  await requireSignedBase(site, found, text)
  const { image } = found
  return bringImage(site.deps, site.hostId, await manifestOf(site.deps, image), site.signal)
}

/** What a build runs in is what the project may run. */
async function requireSignedBase({ deps, caller }: BuildSite, { row, image }: FoundImage, text: string): Promise<void> {
  const named = row ?? image.own[0] ?? image.shared[0]
  // Anew, because the name of another project's is shown as this one sees it.
  const entry = named && (await deps.store.images.get(named.id))
  await requireSigned(deps, caller, entry ?? null, text)
}

/** Newer ones are asked for, and this came from where there may be some. */
function isStale({ row, image: { own } }: FoundImage, { pull }: BuildRequest): boolean {
  const isOwnWork = own.some(({ id, glance }) => id === row?.id && glance.properties[pulledFrom] === undefined)
  return pull && row !== null && !isOwnWork
}

async function* pulled(
  { deps, caller, turns, request, signal }: BuildSite,
  text: string,
): AsyncGenerator<object, FoundImage> {
  const name = nameOf(text)
  const { repo, tag } = newName(name.repo, name.tag)
  const login = request.logins.find(({ domain }) => domain === registryOf(repo)) ?? null
  for await (const line of await openPull({ deps, caller, turns, signal }, { repo, tag, login })) {
    if (typeof line.error === 'string') throw new Fault('registry.refused', { reason: line.error })
    yield line
  }
  return findImage(deps, caller, text)
}
