import { Fault, type Turns } from '@gantry/kernel'
import type { Container } from '@gantry/model'
import type { AgentCalls, CallArgs } from '@gantry/wire'
import type { Deps } from '../../deps.ts'
import type { EngineImages } from '../../engine-image-verbs.ts'
import { findContainer } from '../find-container.ts'
import { lineTo } from '../interact.ts'
import { newName } from './names.ts'
import { addPending, finishImage, giveUp, newEngineRef, type Pending } from './pending-images.ts'

/** As long as a large container may take. Milliseconds. */
const commitMs = 30 * 60_000

/** A container as an image, whatever its state; answers when it is complete. */
export function commitVerb(deps: Deps, turns: Turns): Pick<EngineImages, 'commit'> {
  return {
    async commit(caller, ref, { repo, tag, changes, config, ...rest }) {
      const name = repo === null ? null : newName(repo, tag)
      const container = await findContainer(deps.store, caller, ref)
      const calls = lineTo(deps, container)
      const pending = { hostId: hostOf(container), engineRef: newEngineRef(deps, caller) }
      const image = await deps.store.transaction((tables) => addPending(deps, tables, caller, pending, name))
      const finish = () => turns.take(caller.projectId, () => finishImage(deps, caller, image, name))
      const args = { id: container.id, changes: [...changes], config: { ...config }, ...rest }
      const { imageId } = await commitTo(deps, calls, image, args, finish)
      deps.activity.ofContainer(container, 'commit', { comment: rest.comment, imageID: imageId })
      return imageId
    },
  }
}

/** Throws `container.no-host`. */
export function hostOf({ hostId, name }: Container): NonNullable<Container['hostId']> {
  if (hostId === null) throw new Fault('container.no-host', { ref: name })
  return hostId
}

/** The host commits the container, and gives the image; what fails leaves nothing. */
export async function commitTo<T>(
  deps: Deps,
  calls: AgentCalls,
  image: Pending,
  args: Omit<CallArgs<'commit'>, 'engineRef'>,
  finish: () => Promise<T>,
): Promise<T> {
  const { engineRef } = image.pending
  try {
    await calls.commit({ ...args, engineRef }, { signal: AbortSignal.timeout(commitMs) })
    return await finish()
  } catch (error) {
    await giveUp(deps, image, error)
    throw error
  }
}
