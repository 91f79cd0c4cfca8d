import { createHash } from 'node:crypto'
import type { BuildApi } from '../engine/build-api.ts'
import type { Engine } from '../engine/engine.ts'
import { isStatus } from '../engine/engine-error.ts'
import { stepRepository } from './step-names.ts'

/** Steps that a space keeps; the oldest beyond go. */
const mostKept = 200

/**
 * What earlier builds of the same space have made, as images that the engine keeps under names of that space. There is no
 * other place to look, so that nothing of one project is ever found by another.
 */
export class StepCache {
  readonly #engine: Engine
  /** Builds under way in each space: what they stand on must stay. */
  readonly #active = new Map<string, number>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  get #builds(): BuildApi {
    return this.#engine.builds
  }

  /** The reference of a step: the same parent and the same doing, the same name. */
  reference(space: string, parentId: string, doing: readonly string[]): string {
    const key = createHash('sha256')
      .update(JSON.stringify([parentId, ...doing]))
      .digest('hex')
    return `${stepRepository(space)}:${key}`
  }

  begin(space: string): void {
    this.#active.set(space, (this.#active.get(space) ?? 0) + 1)
  }

  /** Lets the oldest steps go, unless another build of the space goes on. */
  async end(space: string): Promise<void> {
    const left = (this.#active.get(space) ?? 1) - 1
    if (left > 0) {
      this.#active.set(space, left)
      return
    }
    this.#active.delete(space)
    const repository = stepRepository(space)
    const found = await this.#builds.images({ reference: [repository] })
    const steps = found.flatMap(({ RepoTags, Created }) =>
      (RepoTags ?? []).filter((ref) => ref.startsWith(`${repository}:`)).map((ref) => ({ ref, Created })),
    )
    steps.sort((a, b) => b.Created - a.Created)
    for (const { ref } of steps.slice(mostKept)) {
      if (this.#active.has(space)) return
      await this.#engine.images.remove(ref).catch((error: unknown) => {
        // Somebody was faster, or a container stands on it.
        if (!isStatus(error, 404, 409)) throw error
      })
    }
  }
}
